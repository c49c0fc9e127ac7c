//! The words of needs, as data: synonyms, phrases, and words that say what kind of answer is wanted.
//!
//! Describes language only: how matches are weighed is decided in `find.rs`. Words are compared by their stems, so one
//! form of each is enough. What people call each command is in `asked.rs`.

/// Words with the same meaning. The first of each group represents it.
pub const SYNONYMS: &[&[&str]] = &[
    &["contact", "customer", "user", "person", "people", "lead", "client", "somebody", "someone"],
    &["conversation", "chat", "thread", "dialogue"],
    &["tag", "label"],
    &["delete", "remove", "erase", "drop", "forget", "detach", "forgotten"],
    &["create", "add", "make", "insert", "attach"],
    &["update", "change", "edit", "modify", "set", "rename"],
    &["show", "get", "retrieve", "read", "fetch", "view", "see", "display"],
    &["search", "find", "query", "lookup", "filter"],
    &["list", "enumerate"],
    &["bulk", "mass", "batch", "many", "several", "multiple", "hundred"],
    &["admin", "teammate", "agent", "colleague", "staff"],
    &["company", "organisation", "organization", "business", "firm", "employer"],
    &["article", "faq", "documentation", "doc", "guide"],
    &["speed", "fast", "quick", "slow", "quickly", "speedy"],
    &["mirror", "sync", "replicate", "copy"],
    &["export", "dump", "csv", "parquet", "spreadsheet", "excel", "file", "disk", "backup"],
    &["incident", "outage", "downtime"],
    &["reply", "answer", "respond", "response"],
    &["assign", "route", "reassign", "handover", "move"],
    &["close", "finish", "done"],
    &["snooze", "sleep", "postpone", "pause"],
    &["undo", "revert", "rollback"],
    &["duplicate", "dupe", "dedupe", "twice"],
    &["merge", "join", "combine", "unify"],
    &["token", "login", "credential", "auth", "key", "password"],
    &[
        "translation",
        "translate",
        "language",
        "locale",
        "multilingual",
        "french",
        "german",
        "spanish",
        "english",
    ],
    &["count", "statistic", "analytics", "number", "volume", "figure"],
    &["unsubscribe", "optout", "unsubscribed"],
    &["note", "comment", "private", "internal"],
    &["inactive", "dormant", "unseen"],
    &["unanswered", "unreplied", "waiting", "wait", "stale"],
    &["convert", "turn", "transform"],
    &["import", "load", "upload"],
    &["publish", "live", "release"],
    &["mention", "contain", "talk"],
    &["profile", "workspace"],
    &["attribute", "field", "property"],
    &["resolve", "solve"],
    &["send", "deliver"],
    &["check", "verify", "diagnose", "troubleshoot"],
];

/// Phrases, and the words that replace them. Applied in this order.
pub const PHRASES: &[(&str, &str)] = &[
    ("how do i", ""),
    ("how can i", ""),
    ("how would i", ""),
    ("how to", ""),
    ("i want to", ""),
    ("i need to", ""),
    ("i would like to", ""),
    ("please", ""),
    ("how many", "count"),
    ("how much", "count"),
    ("number of", "count"),
    ("give me", "show"),
    ("show me", "show"),
    ("look up", "search"),
    ("look for", "search"),
    ("look something up", "search"),
    ("looking for", "search"),
    ("full text", "fulltext"),
    ("help center", "helpcenter article"),
    ("help centre", "helpcenter article"),
    ("help page", "article"),
    ("help pages", "article"),
    ("knowledge base", "helpcenter article"),
    ("opt out", "unsubscribe"),
    ("take back", "undo"),
    ("roll back", "undo"),
    ("take off", "delete"),
    ("set up", "setup"),
    ("not seen", "inactive"),
    ("no reply", "unanswered"),
    ("not replied", "unanswered"),
    ("not answered", "unanswered"),
    ("without a reply", "unanswered"),
    ("without an answer", "unanswered"),
    ("still waiting", "unanswered"),
    ("in app", "inapp"),
    ("rate limit", "ratelimit"),
    ("who am i", "whoami"),
    ("log in", "login"),
    ("sign in", "login"),
    ("log out", "logout"),
    ("custom attribute", "attribute"),
    ("data attribute", "attribute"),
];

/// Words that do not identify a command, including spans of time, which many commands accept.
pub const STOP_WORDS: &str = "\
    a an the in of to for with and or on by from at is are do does did i you we us me my our your their it its \
    that this these those into per last past since ago day week month hour minute year today yesterday tomorrow \
    monday tuesday wednesday thursday friday saturday sunday next longer older than what which who whose whom when \
    where why how can could should would has have had was were be been all every each any some only one two three \
    as about there here them they he she his her just now up out off so if not no but via let want need know \
    something anything thing am much more most";

/// Words that begin a question, or a wish to see something. Such needs are answered by reads.
pub const QUESTION_WORDS: &[&str] = &[
    "what", "which", "who", "whose", "whom", "how", "when", "where", "why", "is", "are", "was", "were", "do",
    "does", "did", "has", "have", "show", "list", "find", "search", "count", "get", "see", "view", "read",
    "export", "look", "display", "report", "save", "download", "fetch", "query", "measure", "compare",
];

/// Verbs that ask for a change wherever they occur.
pub const CHANGES: &[&str] = &[
    "create",
    "add",
    "delete",
    "remove",
    "erase",
    "update",
    "change",
    "edit",
    "modify",
    "set",
    "assign",
    "reassign",
    "merge",
    "combine",
    "unsubscribe",
    "snooze",
    "archive",
    "unarchive",
    "block",
    "undo",
    "revert",
    "convert",
    "turn",
    "publish",
    "resolve",
    "send",
    "attach",
    "detach",
    "import",
    "move",
    "rename",
    "redact",
    "opt",
    "take",
    "put",
    "mark",
    "make",
    "cancel",
    "untag",
    "reopen",
    "invite",
    "dedupe",
];

/// Nouns that are verbs when a need begins with them.
pub const LEADING_CHANGES: &[&str] = &[
    "tag", "label", "note", "reply", "answer", "message", "comment", "close", "record", "track", "respond",
    "give", "write", "leave", "text", "open", "email", "route", "push", "forget", "drop", "log", "start",
    "switch",
];

/// Words that say that a change concerns many records.
pub const MANY: &[&str] = &[
    "all",
    "every",
    "each",
    "bulk",
    "mass",
    "batch",
    "many",
    "several",
    "multiple",
    "hundred",
    "everything",
    "everybody",
    "everyone",
];

/// Words of removals. Commands with such a word in their name are offered only to those who use one.
pub const REMOVALS: &[&str] =
    &["delete", "redact", "archive", "cancel", "block", "unarchive", "untag", "unsubscribe", "logout"];

/// Commands that only show what they would do unless a flag asks for more, although their effect is that of the flag.
pub const READS_BY_DEFAULT: &[&str] = &["contacts dupes"];
