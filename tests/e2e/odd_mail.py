# SPDX-License-Identifier: MIT
"""Mail that some hosts do not take as it is, and what is in it."""

import email
import email.message
import email.policy

# What a host without 8BITMIME offers.
SEVEN = "250-scripted.example\r\n250-PIPELINING\r\n250 SIZE 100000000"

TEXT = "Viele Grüße aus Köln, ein Gruß auch an alle anderen.\n.\n"


def odd_message(text=TEXT):
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["From"] = "alice@home.example"
    m["To"] = "bob@one.example"
    m["Subject"] = "x"
    m["Message-ID"] = "<x@home.example>"
    m["Date"] = "Thu, 01 Jan 2026 00:00:00 +0000"
    m.set_content(text, cte="8bit")
    m.add_alternative("Ωμέγα " * 20 + "\n", subtype="html", cte="8bit")
    m.add_attachment(b"\xff\xfe.", maintype="application",
                     subtype="octet-stream", cte="8bit")
    return m.as_bytes().replace(b"\r\n", b"\n")


def leaves(content):
    return [(p.get_content_type(),
             p.get_payload(decode=True).replace(b"\r\n", b"\n"))
            for p in email.message_from_bytes(content).walk()
            if not p.is_multipart()]
