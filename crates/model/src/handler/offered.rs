//! The settings of ready-made kinds as a form offers them, and as the docs list them. Every kind takes further ones: expressions see them as
//! `settings.NAME`. What a value must be is checked by the kind itself, when the handler is saved.
use super::task::Kind;

/// A setting of a ready-made kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its key in `settings`.
    pub name: &'static str,
    /// What stands beside its box.
    pub label: &'static str,
    /// What can be put into it.
    pub value: Shape,
    /// One line on what it is for.
    pub help: &'static str,
}

/// What a setting's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text of one line.
    Line,
    /// A text of several lines.
    Text,
    /// A text that is never shown again.
    Secret,
    /// One of these words; the first is the default, empty for none.
    Choice(&'static [&'static str]),
    /// A list of texts, or a single one.
    List,
    /// An object.
    Json,
}

const fn setting(name: &'static str, label: &'static str, value: Shape, help: &'static str) -> Setting {
    Setting { name, label, value, help }
}

const PASSWORD: Setting = setting("password", "Password", Shape::Secret, "Never shown again");
const TOKEN: Setting = setting("token", "Token", Shape::Secret, "Sent as Authorization: Bearer. Never shown again");
const TLS: Setting =
    setting("tls", "TLS", Shape::Choice(&["prefer", "require", "verify", "off"]), "verify checks the certificate as well");
const CA: Setting =
    setting("ca", "Certificate authority (PEM)", Shape::Text, "For verify: your own, in place of the public ones");
const DOMAIN: &str = "Domain";

const SQL: &[Setting] = &[
    PASSWORD,
    setting(
        "template",
        "Template",
        Shape::Choice(&["", "kamailio", "opensips", "freeradius", "asterisk"]),
        "What the product needs, ready made. Without: your own statements only",
    ),
    setting("domain", DOMAIN, Shape::Line, "The realm of SIP digests, such as sip.example.net"),
    setting("passwords", "Passwords there", Shape::Choice(&["digest", "clear"]), "FreeRADIUS needs clear for PAP and CHAP"),
    setting("group", "Group", Shape::Line, "FreeRADIUS: of each account, in radusergroup"),
    setting("reply", "Reply", Shape::Json, "FreeRADIUS: attributes of radreply, {\"Session-Timeout\": \"3600\"}"),
    setting("context", "Context", Shape::Line, "Asterisk: of ps_endpoints"),
    setting("allow", "Codecs", Shape::Line, "Asterisk: of ps_endpoints, such as ulaw,alaw"),
    setting(
        "statements",
        "Statements",
        Shape::Json,
        "For each event, or pattern, a list: {\"clients.create\": [\"INSERT INTO t (name) VALUES ({{object.name}})\"]}",
    ),
    TLS,
    CA,
];

const MAIL: &[Setting] = &[
    setting("from", "From", Shape::Line, "Such as Billing <billing@example.net>"),
    setting("to", "To", Shape::List, "One a line: noc@example.net, or an expression such as {{object.c_email}}"),
    setting("user", "User", Shape::Line, "If the server wants to know who sends"),
    PASSWORD,
    setting("subject", "Subject", Shape::Line, "Empty: what happened to whom. {{ }} holds expressions, such as {{object.name}}"),
    setting("text", "Text", Shape::Text, "Empty: what happened, when, by whom, and what was changed"),
    setting(
        "messages",
        "For single events",
        Shape::Json,
        "{\"clients.balance_zero\": {\"subject\": \"...\", \"text\": \"...\"}}",
    ),
    TLS,
    CA,
];

const CHAT: &[Setting] = &[
    setting("secret", "Secret part of the URL", Shape::Secret, "Slack: /services/T.../B.../... Never shown again"),
    setting("channel", "Channel", Shape::Line, "If the webhook lets you choose"),
    setting("username", "Shown as", Shape::Line, "If the webhook lets you choose"),
    setting("text", "Text", Shape::Text, "Empty: what happened to whom. {{ }} holds expressions, such as {{object.name}}"),
    setting("messages", "For single events", Shape::Json, "{\"clients.balance_zero\": \"{{object.name}} has no money left\"}"),
];

const REST: &[Setting] = &[
    TOKEN,
    setting("fields", "Fields", Shape::Json, "The body of requests without one: {\"name\": \"{{object.name}}\"}"),
    setting(
        "requests",
        "Requests",
        Shape::Json,
        "For each event, or pattern, a list: {\"clients.create\": [{\"method\": \"POST\", \"path\": \"/companies\"}]}",
    ),
    setting(
        "test",
        "Test",
        Shape::Json,
        "A request that changes nothing, made by a test: {\"method\": \"GET\", \"path\": \"/user\"}",
    ),
];

const KAMAILIO: &[Setting] = &[
    setting("template", "Template", Shape::Choice(&["", "kick"]), "kick: unregisters accounts that are renamed or deleted"),
    setting("domain", DOMAIN, Shape::Line, "Of addresses of record, where Kamailio has use_domain"),
    setting(
        "calls",
        "Calls",
        Shape::Json,
        "For each event, or pattern, a list: {\"clients.update\": [{\"method\": \"htable.reload\", \"params\": [\"clients\"]}]}",
    ),
    TOKEN,
];

/// The settings that a form offers for a kind, in the order of its boxes.
#[must_use]
pub fn settings(kind: Kind) -> &'static [Setting] {
    match kind {
        Kind::Http | Kind::Script => &[],
        Kind::Sql => SQL,
        Kind::Mail => MAIL,
        Kind::Chat => CHAT,
        Kind::Rest => REST,
        Kind::Kamailio => KAMAILIO,
    }
}
