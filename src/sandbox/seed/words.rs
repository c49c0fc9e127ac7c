//! Names and message texts for the seed data.

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

#[rustfmt::skip]
pub const COMPANY_NAMES: &[&str] = &[
    "Alder", "Birchwood", "Cobalt", "Driftline", "Ember", "Fjord", "Granite", "Harbor", "Indigo",
    "Juniper", "Kestrel", "Lumen", "Meridian", "Northwind", "Onyx", "Pinecrest", "Quarry", "Ridgeway",
    "Saffron", "Tundra",
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

#[rustfmt::skip]
pub const TAGS: &[&str] = &[
    "bug", "billing", "refund", "vip", "feature request", "churn risk", "onboarding", "outage", "praise",
    "legal", "Spam", "escalated", "export", "mobile", "integration", "training", "renewal", "partner",
];

pub const NOTES: &[&str] = &[
    "Prefers to be called in the morning.",
    "Asked for the annual plan, waiting for the quote.",
    "Their admin left, new owner is in procurement.",
    "Reported the same problem in spring.",
];

/// Subject, question and two replies.
pub const TOPICS: &[(&str, &str, [&str; 2])] = &[
    (
        "Invoice shows the wrong VAT number",
        "Our last invoice carries an old VAT number. Can you issue a corrected one?",
        [
            "I have corrected the number. A new invoice is on its way.",
            "Could you send me the correct number?",
        ],
    ),
    (
        "Export stops at 10,000 rows",
        "The CSV export stops after 10,000 rows, although we have far more. Is there a limit?",
        ["The browser export is limited; the scheduled export is not.", "Which report are you exporting?"],
    ),
    (
        "Cannot log in after password reset",
        "I need support: since I reset my password, the login page just reloads.",
        ["Please try again in a private window.", "I have ended all your sessions. It should work now."],
    ),
    (
        "Webhook delivers twice",
        "Since yesterday, every webhook arrives twice. We do respond with 200.",
        [
            "We see the duplicates too and are looking into them.",
            "The fix is live. Please let us know if it happens again.",
        ],
    ),
    (
        "Refund for unused seats",
        "We removed five seats in March but still pay for them. We would like a refund.",
        ["The credit will appear on your next invoice.", "Let me check with billing and get back to you."],
    ),
    (
        "Dark mode is hard to read",
        "In dark mode the links have almost no contrast. My colleague can't read them at all.",
        [
            "Thank you, I have passed this on to the designers.",
            "Does it help to increase the contrast in the settings?",
        ],
    ),
    (
        "How do I add a second domain?",
        "We bought another domain & want to use both. Where do I add it?",
        ["Go to Settings, Domains, then Add. It takes about an hour.", "Which plan are you on?"],
    ),
    (
        "Mobile app crashes on start",
        "The app closes right after the splash screen on Android 15. Version 8.2 <beta>.",
        ["Please update to 8.3, which has the fix.", "Could you send us the log from the help menu?"],
    ),
    (
        "Data protection agreement",
        "Our legal department needs the signed data protection agreement before Friday.",
        ["You can find it in your account under Legal.", "I have sent it to your legal contact."],
    ),
    (
        "Love the new dashboard",
        "Just wanted to say that the new dashboard saves us hours every week. Thank you!",
        ["That made our day, thank you!", "I will pass it on to the team."],
    ),
    (
        "API returns 401 since this morning",
        "Our integration has been getting a 401 from your API since 6 am. Nothing changed on our side.",
        [
            "Your token had expired; you can renew it in the developer hub.",
            "Which region is your workspace in?",
        ],
    ),
    (
        "Meeting rooms do not sync",
        "Rooms from our calendar no longer appear in the booking form. 会議室が表示されません。",
        ["Reconnecting the calendar should bring them back.", "Is it all rooms or only new ones?"],
    ),
];

pub const FOLLOW_UPS: &[&str] = &[
    "Thanks, I will try that.",
    "Unfortunately, that did not help.",
    "Any news on this?",
    "It works now, thank you!",
    "I attached a screenshot to my first email. 🙂",
    "We need this solved this week.",
];

pub const ADMIN_FOLLOW_UPS: &[&str] = &[
    "Thank you for your patience. We are still working on it.",
    "Which browser are you using?",
    "I have changed it for you.",
    "Is there anything else I can do?",
];

pub const INTERNAL: &[&str] = &[
    "Looks like the same cause as last week.",
    "Asked engineering, waiting for a reply.",
    "Customer is up for renewal, please prioritise.",
];

pub const AI_ANSWERS: &[&str] = &[
    "You can change this in Settings. Did that answer your question?",
    "Here is what I found in our help center. Would you like to talk to a teammate?",
];

pub const OUTBOUND: &[&str] = &[
    "We noticed that your trial ends next week. Can we help you decide?",
    "The new version of the importer that you asked for is here.",
    "Do you have ten minutes to share how the rollout went?",
];

pub const TEAM_MESSAGES: &[&str] =
    &["Passing this on to you, since you know this invoice.", "Taking over from here."];
