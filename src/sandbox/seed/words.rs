//! What people are called and what they say.

pub const ADMINS: &[(&str, &str)] = &[
    ("Mara Lindqvist", "Head of Support"),
    ("Tomás Aguilar", "Support Engineer"),
    ("Priya Raman", "Support Engineer"),
    ("Jonas Weber", "Billing Specialist"),
    ("Aoife Byrne", "Customer Success"),
    ("Kenji Watanabe", "Support Engineer"),
    ("Leila Haddad", "Team Lead"),
    ("Oskar Nowak", "Night Shift"),
    ("Ines Moreau", "Onboarding"),
    ("Samir Patel", "Support Engineer"),
];

pub const TEAMS: &[&str] = &["Support", "Billing", "Technical", "Success", "Onboarding", "Weekend"];

pub const FIRST_NAMES: &[&str] = &[
    "Anna", "Björn", "Carla", "Dmitri", "Elif", "Farid", "Grace", "Hugo", "Ivana", "Jack", "Kaya", "Liam",
    "Mónica", "Nadia", "Olaf", "Petra", "Quentin", "Rosa", "Søren", "Tariq", "Ulla", "Viktor", "Wren",
    "Ximena", "Yuki", "Zoe",
];

pub const LAST_NAMES: &[&str] = &[
    "Abbott", "Bauer", "Castillo", "Dubois", "Eriksen", "Fontana", "Grant", "Hoffmann", "Ito", "Jensen",
    "Keller", "Larsen", "Mancini", "Novak", "Okafor", "Pereira", "Quist", "Rossi", "Schmidt", "Tanaka",
    "Urban", "Vega", "Weiss", "Young", "Zimmer", "O'Neill",
];

pub const COMPANY_NAMES: &[&str] = &[
    "Alder",
    "Birchwood",
    "Cobalt",
    "Driftline",
    "Ember",
    "Fjord",
    "Granite",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Meridian",
    "Northwind",
    "Onyx",
    "Pinecrest",
    "Quarry",
    "Ridgeway",
    "Saffron",
    "Tundra",
];

pub const COMPANY_KINDS: &[&str] =
    &["Labs", "Foods", "Logistics", "Studio", "Health", "Partners", "Energy", "Books"];

pub const INDUSTRIES: &[&str] = &["Software", "Retail", "Education", "Healthcare", "Logistics", "Finance"];

pub const PLANS: &[&str] = &["Free", "Starter", "Growth", "Enterprise"];

pub const PLACES: &[(&str, &str)] = &[
    ("Germany", "Berlin"),
    ("United States", "Denver"),
    ("Brazil", "Recife"),
    ("Japan", "Osaka"),
    ("Ireland", "Cork"),
    ("Australia", "Perth"),
    ("India", "Pune"),
];

pub const BROWSERS: &[(&str, &str)] =
    &[("chrome", "Windows 11"), ("safari", "OS X 14.5"), ("firefox", "Ubuntu"), ("edge", "Windows 10")];

pub const LANGUAGES: &[&str] = &["en", "de", "es", "fr", "ja", "pt"];

pub const TAGS: &[&str] = &[
    "bug",
    "billing",
    "refund",
    "vip",
    "feature request",
    "churn risk",
    "onboarding",
    "outage",
    "praise",
    "legal",
    "Spam",
    "escalated",
    "export",
    "mobile",
    "integration",
    "training",
    "renewal",
    "partner",
];

pub const NOTES: &[&str] = &[
    "Prefers to be called in the morning.",
    "Asked for the annual plan, waits for the quote.",
    "Their admin left, new owner is in procurement.",
    "Reported the same problem in spring.",
];

/// Subject, question and two answers.
pub const TOPICS: &[(&str, &str, [&str; 2])] = &[
    (
        "Invoice shows the wrong VAT number",
        "Our last invoice carries an old VAT number. Can you issue a corrected one?",
        [
            "I have corrected the number, a new invoice is on its way.",
            "Could you send me the number as it should be?",
        ],
    ),
    (
        "Export stops at 10,000 rows",
        "The CSV export ends after 10,000 rows although we have far more. Is there a limit?",
        ["There is a limit in the browser; the scheduled export has none.", "Which report do you export?"],
    ),
    (
        "Cannot log in after password reset",
        "I need support: after I reset my password the login page only reloads.",
        ["Please try once more in a private window.", "I have ended all your sessions, it should work now."],
    ),
    (
        "Webhook delivers twice",
        "Every webhook arrives two times since yesterday. We do answer with 200.",
        [
            "We see the duplicates as well and are looking into it.",
            "The fix is out, please tell us if it happens again.",
        ],
    ),
    (
        "Refund for unused seats",
        "We removed five seats in March but still pay for them. We would like a refund.",
        ["The credit appears on your next invoice.", "Let me check with billing and come back to you."],
    ),
    (
        "Dark mode is hard to read",
        "In dark mode the links have almost no contrast. My colleague can't read them at all.",
        [
            "Thank you, I have passed this on to the designers.",
            "Does it help to raise the contrast in settings?",
        ],
    ),
    (
        "How do I add a second domain?",
        "We bought another domain & want to use both. Where do I add it?",
        ["Under Settings, Domains, then Add. It takes an hour.", "Which plan are you on?"],
    ),
    (
        "Mobile app crashes on start",
        "The app closes right after the splash screen on Android 15. Version 8.2 <beta>.",
        ["Please update to 8.3, it has the fix.", "Could you send us the log from the help menu?"],
    ),
    (
        "Data protection agreement",
        "Our legal department needs the signed data protection agreement before Friday.",
        ["You find it in your account under Legal.", "I have sent it to your legal contact."],
    ),
    (
        "Love the new dashboard",
        "Just wanted to say that the new dashboard saves us hours every week. Thank you!",
        ["That made our day, thank you!", "I will pass it on to the team."],
    ),
    (
        "API returns 401 since this morning",
        "Our integration gets a 401 from your API since 6 am. Nothing changed on our side.",
        [
            "Your token had expired; you can renew it in the developer hub.",
            "Which region is your workspace in?",
        ],
    ),
    (
        "Meeting rooms do not sync",
        "Rooms from our calendar no longer appear in the booking form. 会議室が表示されません。",
        ["Reconnecting the calendar brings them back.", "Is it all rooms or only new ones?"],
    ),
];

pub const FOLLOW_UPS: &[&str] = &[
    "Thanks, I will try that.",
    "That did not help, unfortunately.",
    "Any news on this?",
    "It works now, thank you!",
    "I have attached what I see to my first mail. 🙂",
    "We need this solved this week.",
];

pub const ADMIN_FOLLOW_UPS: &[&str] = &[
    "Thank you for your patience, we are still on it.",
    "Could you tell me which browser you use?",
    "I have changed it for you.",
    "Is there anything else I can do?",
];

pub const INTERNAL: &[&str] = &[
    "Looks like the same cause as last week.",
    "Asked engineering, waiting for an answer.",
    "Customer is up for renewal, please be quick.",
];

pub const AI_ANSWERS: &[&str] = &[
    "You can change this in Settings. Did that answer your question?",
    "Here is what I found in our help center. Shall I get a teammate?",
];

pub const OUTBOUND: &[&str] = &[
    "We noticed that your trial ends next week. Can we help you decide?",
    "There is a new version of the importer that you asked for.",
    "Would you have ten minutes to tell us how the rollout went?",
];

pub const TEAM_MESSAGES: &[&str] =
    &["Passing this on to you, they know the invoice.", "Taking over from here."];
