// SPDX-License-Identifier: MIT
// The page of capture.  What comes from a message becomes text by textContent,
// never HTML; its own HTML is shown in a frame that may do nothing.

const find = (id) => document.getElementById(id);
const PAGE_SIZE = 200, LIST_MAX = 1000, SOURCE_MAX = 512 * 1024;

let messages = [];        // of the list, the newest first
let total = 0, limit = PAGE_SIZE;
let selected = null;      // an id
let shown = null;         // the message in full
let view = null;          // the tab that was chosen by hand
let smtp = "";
const rows = new Map();   // id -> row
const read = new Set(JSON.parse(sessionStorage.getItem("read") || "[]"));

const element = (name, properties = {}, ...children) => {
	const e = Object.assign(document.createElement(name), properties);
	e.append(...children);
	return e;
};

const formatSize = (n) => n < 1000 ? `${n} B` : n < 1e6
	? `${(n / 1e3).toFixed(n < 1e4 ? 1 : 0)} kB`
	: `${(n / 1e6).toFixed(1)} MB`;

function formatTime(text) {
	const time = new Date(text);
	const today = time.toDateString() === new Date().toDateString();
	return today
		? time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit",
			second: "2-digit", hour12: false })
		: time.toLocaleDateString([], { day: "numeric", month: "short" });
}

// The name in an address, "Ann" of "Ann <ann@example.org>".
const nameOf = (text) => text.replace(/\s*<[^>]*>\s*$/, "")
	.replace(/^"(.*)"$/, "$1") || text;

// --- The list

function queryOf(text) {
	const query = new URLSearchParams(), words = [];
	for (const word of text.split(/\s+/)) {
		const field = /^(from|to|subject):(.+)$/i.exec(word);
		if (field)
			query.set(field[1].toLowerCase(), field[2]);
		else if (word && !/^(from|to|subject):$/i.test(word))
			words.push(word);
	}
	if (words.length > 0)
		query.set("q", words.join(" "));
	return query;
}

function makeRow(m, arrived) {
	const files = m.attachments.filter((a) => !a.inline).length;
	const row = element("a", { href: `#${m.id}` },
		element("span", { className: "row-from",
			textContent: nameOf(m.from) || m.sender || "(no sender)" }),
		element("time", { className: "row-time", dateTime: m.received,
			title: new Date(m.received).toLocaleString(),
			textContent: formatTime(m.received) }),
		element("span", { className: "row-subject",
			textContent: m.subject || "(no subject)" }),
		element("span", { className: "row-files", textContent:
			files > 1 ? `${files} files` : files === 1 ? "1 file" : "" }),
		element("span", { className: "row-more", textContent:
			`to ${m.recipients.join(", ")}${m.snippet && ` · ${m.snippet}`}`
		}));
	row.classList.toggle("arrived", arrived);
	return element("li", {}, row);
}

// The rows stay, but for what came and what went.
function showList() {
	const ids = new Set(messages.map((m) => m.id));
	const first = rows.size === 0;
	for (const [id, row] of rows) {
		if (!ids.has(id)) {
			row.remove();
			rows.delete(id);
		}
	}
	let at = find("list").firstChild;
	for (const m of messages) {
		let row = rows.get(m.id);
		if (!row) {
			row = makeRow(m, !first);
			rows.set(m.id, row);
		}
		if (row === at)
			at = at.nextSibling;
		else
			find("list").insertBefore(row, at);
		const link = row.firstChild;
		link.classList.toggle("new", !read.has(m.id));
		link.ariaCurrent = m.id === selected ? "true" : "false";
	}
	showState();
}

function showState() {
	const searching = find("search").value.trim() !== "";
	const unread = messages.filter((m) => !read.has(m.id)).length;
	const count = total === 1 ? "1 message" : `${total} messages`;
	find("state").textContent = searching ? `${count} found` : count;
	find("state").classList.remove("offline");
	document.title = unread > 0 ? `(${unread}) capture` : "capture";
	find("clear").disabled = total === 0;
	find("clear").textContent = searching ? "Delete found" : "Delete all";
	find("more").hidden = messages.length >= total || limit >= LIST_MAX;
	find("nothing").hidden = total > 0;
	find("nothing-text").textContent = searching
		? "No message matches." : "No mail yet.";
	find("nothing-hint").replaceChildren();
	if (!searching && smtp)
		find("nothing-hint").append("Have your program send it to ",
			element("code", { textContent: smtp }));
}

// One request at a time; what changes meanwhile is asked for afterwards.
let asking = false, askAgain = false;

async function refresh() {
	if (asking) {
		askAgain = true;
		return;
	}
	asking = true;
	do {
		askAgain = false;
		const query = queryOf(find("search").value);
		query.set("limit", limit);
		try {
			const reply = await (await fetch(`messages?${query}`)).json();
			messages = reply.messages;
			total = reply.total;
			showList();
			await new Promise((done) => setTimeout(done, 100));
		} catch {
			showOffline();
		}
	} while (askAgain);
	asking = false;
}

function showOffline() {
	find("state").textContent = "capture has stopped";
	find("state").classList.add("offline");
}

// --- The message

function showFacts(m) {
	const facts = find("facts");
	const add = (name, ...what) => facts.append(
		element("dt", { textContent: name }), element("dd", {}, ...what));
	facts.replaceChildren();
	add("From", m.from || m.sender || "(nobody)");
	add("To", m.to || "(nobody)");
	if (m.cc)
		add("Cc", m.cc);
	const named = `${m.to} ${m.cc}`.toLowerCase();
	const hidden = m.recipients.filter((r) =>
		!named.includes(r.toLowerCase()));
	if (hidden.length > 0)
		add("Bcc", hidden.join(", "), element("span",
			{ className: "dim", textContent: "  of the envelope alone" }));
	add("Received", element("span", { className: "dim", textContent: [
		new Date(m.received).toLocaleString(), formatSize(m.size),
		`by ${m.client}`, m.tls || "not encrypted",
		m.user === null ? "" : `user ${m.user}`,
	].filter((text) => text).join(" · ") }));
}

function showAttachments(m) {
	const list = find("attachments");
	list.hidden = m.attachments.length === 0;
	list.replaceChildren(...m.attachments.map((a) => {
		const url = `messages/${m.id}/parts/${a.part}`;
		const name = a.name || a.contentId || `part-${a.part}`;
		const kind = (/\.(\w{1,4})$/.exec(name)?.[1] ||
			a.type.split("/")[1].slice(0, 4)).toUpperCase();
		const pictured = /^image\/(png|jpeg|gif|webp|avif)$/.test(a.type) &&
			a.size < 5e6;
		return element("li", {}, element("a",
			{ href: url, download: a.name || "", title: `${name}, ${a.type}` },
			pictured
				? element("img", { src: url, alt: "", loading: "lazy" })
				: element("span", { className: "kind", textContent: kind }),
			element("span", { className: "name", textContent: name }),
			element("span", { className: "size",
				textContent: formatSize(a.size) })));
	}));
}

// TEXT with its links as links.
function linked(text) {
	const pre = element("pre");
	let end = 0;
	for (const m of text.matchAll(
		/https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]']/g)) {
		pre.append(text.slice(end, m.index), element("a", { href: m[0],
			target: "_blank", rel: "noreferrer", textContent: m[0] }));
		end = m.index + m[0].length;
	}
	pre.append(text.slice(end));
	return pre;
}

function htmlFrame(m) {
	const frame = element("iframe", { title: "HTML of the message" });
	frame.setAttribute("sandbox",
		"allow-popups allow-popups-to-escape-sandbox");
	frame.src = `messages/${m.id}/html${find("remote").checked
		? "?remote=1" : ""}`;
	if (find("width").value)
		frame.style.maxWidth = `${find("width").value}px`;
	return frame;
}

function headerTable(m) {
	const row = (name, value) => element("tr", {},
		element("th", { textContent: name, scope: "row" }),
		element("td", { textContent: value }));
	const body = element("tbody", {},
		row("MAIL FROM", `<${m.sender}> ${m.parameters}`));
	for (const [i, r] of m.recipients.entries())
		body.append(row("RCPT TO", `<${r}> ${m.recipientParameters[i]}`));
	body.append(row("EHLO", m.helo));
	for (const h of m.headers)
		body.append(row(h.name, h.value));
	return element("table", {}, body);
}

// The beginning of the source: nobody reads 50 MB.
async function sourceOf(m) {
	const reader = (await fetch(`messages/${m.id}/source`)).body.getReader();
	const decoder = new TextDecoder();
	let text = "", size = 0, part;
	while (size < SOURCE_MAX && !(part = await reader.read()).done) {
		size += part.value.length;
		text += decoder.decode(part.value, { stream: true });
	}
	reader.cancel();
	const pre = element("pre", { textContent: text });
	return size < m.size ? [element("p", { className: "note", textContent:
		`The first ${formatSize(size)} of ${formatSize(m.size)}; ` +
		"Download has all of it." }), pre] : [pre];
}

async function showView() {
	const m = shown;
	const present = { html: m.html !== null, text: m.text !== null,
		headers: true, source: true };
	const now = present[view] ? view : present.html ? "html"
		: present.text ? "text" : "source";
	for (const name of Object.keys(present)) {
		const tab = find(`tab-${name}`);
		tab.disabled = !present[name];
		tab.ariaSelected = name === now ? "true" : "false";
		tab.tabIndex = name === now ? 0 : -1;
	}
	find("html-tools").hidden = now !== "html";
	find("view").setAttribute("aria-labelledby", `tab-${now}`);
	find("view").classList.toggle("narrow",
		now === "html" && find("width").value !== "");
	const content = now === "html" ? [htmlFrame(m)]
		: now === "text" ? [linked(m.text)]
		: now === "headers" ? [headerTable(m)] : await sourceOf(m);
	if (m === shown) {
		find("view").replaceChildren(...content);
		find("view").scrollTop = 0;
	}
}

async function select(id) {
	selected = id;
	find("panes").classList.toggle("reading", id !== null);
	if (id === null) {
		shown = null;
		find("message").hidden = true;
		find("no-message").hidden = false;
		showList();
		return;
	}
	read.add(id);
	sessionStorage.setItem("read", JSON.stringify([...read].slice(-5000)));
	showList();
	rows.get(id)?.scrollIntoView({ block: "nearest" });
	const reply = await fetch(`messages/${encodeURIComponent(id)}`);
	if (id !== selected)
		return;
	if (!reply.ok) {
		location.hash = "";
		return;
	}
	shown = await reply.json();
	if (id !== selected)
		return;
	find("no-message").hidden = true;
	find("message").hidden = false;
	find("subject").textContent = shown.subject || "(no subject)";
	find("download").href = `messages/${id}/source`;
	find("download").download = `${id}.eml`;
	showFacts(shown);
	showAttachments(shown);
	await showView();
}

// --- What the user does

function go(step) {
	const at = messages.findIndex((m) => m.id === selected);
	const to = at === -1 ? 0
		: Math.min(Math.max(at + step, 0), messages.length - 1);
	if (messages[to])
		location.hash = messages[to].id;
}

async function remove() {
	if (selected === null)
		return;
	const id = selected;
	const at = messages.findIndex((m) => m.id === id);
	const next = messages[at + 1] || messages[at - 1];
	const narrow = getComputedStyle(find("back")).display !== "none";
	location.hash = next && !narrow ? next.id : "";
	await fetch(`messages/${id}`, { method: "DELETE" });
}

async function removeAll() {
	const query = queryOf(find("search").value);
	const what = find("clear").textContent.toLowerCase();
	if (!confirm(`${what[0].toUpperCase()}${what.slice(1)}: ` +
		`${total} message${total === 1 ? "" : "s"}?`))
		return;
	await fetch(`messages?${query}`, { method: "DELETE" });
	location.hash = "";
}

function chooseTheme(next) {
	const themes = ["auto", "light", "dark"];
	let theme = localStorage.getItem("theme") || "auto";
	if (next)
		theme = themes[(themes.indexOf(theme) + 1) % 3];
	localStorage.setItem("theme", theme);
	document.documentElement.dataset.theme = theme;
	find("theme").textContent =
		{ auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" }[theme];
	find("theme").ariaLabel = `Colours: ${theme}`;
}

const keys = {
	j: () => go(1), ArrowDown: () => go(1),
	k: () => go(-1), ArrowUp: () => go(-1),
	Delete: remove,
	Escape: () => { location.hash = ""; },
	"/": () => { find("search").focus(); find("search").select(); },
};

document.addEventListener("keydown", (event) => {
	const typing = event.target.matches("input[type=search], select");
	if (typing && event.key === "Escape") {
		find("search").value = "";
		refresh();
		event.target.blur();
	}
	if (typing || event.ctrlKey || event.metaKey || event.altKey ||
		!keys[event.key] || (event.key.startsWith("Arrow") &&
			find("view").contains(event.target)))
		return;
	event.preventDefault();
	keys[event.key]();
});

for (const tab of document.querySelectorAll("[role=tab]")) {
	tab.addEventListener("click", () => {
		view = tab.id.slice(4);
		showView();
	});
	tab.addEventListener("keydown", (event) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		const tabs = [...document.querySelectorAll("[role=tab]:enabled")];
		const to = tabs[tabs.indexOf(tab) + step];
		if (to) {
			to.click();
			to.focus();
		}
	});
}

find("search").addEventListener("input", () => {
	limit = PAGE_SIZE;
	refresh();
});
find("search-form").addEventListener("submit", (e) => e.preventDefault());
find("more").addEventListener("click", () => {
	limit = Math.min(limit + PAGE_SIZE, LIST_MAX);
	refresh();
});
find("back").addEventListener("click", () => { location.hash = ""; });
find("delete").addEventListener("click", remove);
find("clear").addEventListener("click", removeAll);
find("theme").addEventListener("click", () => chooseTheme(true));
find("remote").addEventListener("change", showView);
find("width").addEventListener("change", showView);
window.addEventListener("hashchange",
	() => select(location.hash.slice(1) || null));

chooseTheme(false);
const events = new EventSource("events");
events.addEventListener("message", (event) => {
	smtp = JSON.parse(event.data).smtp;
	refresh();
});
events.addEventListener("error", showOffline);
if (location.hash)
	select(location.hash.slice(1));
