// SPDX-License-Identifier: MIT

// A server on go-smtp: discards what it receives, or stores it in Maildirs.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

var (
	listen  = flag.String("listen", "127.0.0.1:2525", "address and port")
	maildir = flag.String("maildir", "", "store in DIR/USER/Maildir")
	counter int64
)

type backend struct{}

func (backend) Login(*smtp.ConnectionState, string, string) (smtp.Session, error) {
	return nil, smtp.ErrAuthUnsupported
}

func (backend) AnonymousLogin(*smtp.ConnectionState) (smtp.Session, error) {
	return &session{}, nil
}

type session struct {
	from  string
	users []string
}

func (s *session) Reset() {
	s.users = nil
}

func (s *session) Logout() error {
	return nil
}

func (s *session) Mail(from string, opts smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string) error {
	at := strings.LastIndexByte(to, '@')
	if at < 1 || strings.ContainsAny(to[:at], "/\x00") {
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	}
	s.users = append(s.users, to[:at])
	return nil
}

func (s *session) Data(r io.Reader) error {
	if *maildir == "" {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	return s.store(r)
}

// Write one file under tmp/ for each recipient, sync it, move it to new/.
func (s *session) store(r io.Reader) error {
	var files []*os.File
	var writers []io.Writer
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for _, user := range s.users {
		f, err := create(filepath.Join(*maildir, user, "Maildir"))
		if err != nil {
			return err
		}
		files = append(files, f)
		writers = append(writers, f)
	}
	w := bufio.NewWriterSize(io.MultiWriter(writers...), 65536)
	fmt.Fprintf(w, "Return-Path: <%s>\r\n", s.from)
	if _, err := io.Copy(w, r); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range files {
		if err := publish(f); err != nil {
			return err
		}
	}
	return nil
}

func create(dir string) (*os.File, error) {
	now := time.Now()
	name := fmt.Sprintf("%d.M%dP%dQ%d.localhost", now.Unix(),
		now.Nanosecond()/1000, os.Getpid(), atomic.AddInt64(&counter, 1))
	return os.OpenFile(filepath.Join(dir, "tmp", name),
		os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0600)
}

func publish(f *os.File) error {
	if err := f.Sync(); err != nil {
		return err
	}
	dir, name := filepath.Split(f.Name())
	return os.Rename(f.Name(), filepath.Join(dir, "..", "new", name))
}

func main() {
	flag.Parse()
	s := smtp.NewServer(backend{})
	s.Addr = *listen
	s.Domain = "localhost"
	s.MaxRecipients = 1000
	s.AuthDisabled = true
	log.Fatal(s.ListenAndServe())
}
