//! A help center in two languages: translations that are current, outdated, drafts and missing.

use serde_json::Map;

use crate::sandbox::calendar::DAY;
use crate::sandbox::html::normalize_article;
use crate::sandbox::model::article::{HelpArticle, article_content};
use crate::sandbox::options::Options;
use crate::sandbox::workspace::Workspace;

/// The second language.
const LOCALE: &str = "fr";

/// The titles of the generated articles, in the order of their topics.
const FRENCH_TITLES: &[&str] = &[
    "La facture indique un mauvais numéro de TVA",
    "L'export s'arrête à 10 000 lignes",
    "Connexion impossible après un nouveau mot de passe",
    "Un webhook arrive deux fois",
    "Remboursement de licences inutilisées",
    "Le mode sombre est difficile à lire",
    "Comment ajouter un deuxième domaine ?",
    "L'application mobile se ferme au démarrage",
    "Accord sur la protection des données",
    "Le nouveau tableau de bord",
    "L'API répond 401 depuis ce matin",
    "Les salles de réunion ne se synchronisent pas",
];

const FRENCH_BODY: &str = "<p>Cela prend environ <b>deux minutes</b>. Vous le trouverez sous <i>Paramètres</i>.</p>\
     <h2>Avant de commencer</h2><ul><li><p>Un compte d'administrateur</p></li></ul>";

/// Title, description and body.
type Text = [&'static str; 3];

struct Article {
    text: Text,
    collection: usize,
    published: bool,
    /// Days since the last change.
    changed: i64,
    /// Text, state, and days since the last change.
    french: Option<(Text, &'static str, i64)>,
}

const ARTICLES: &[Article] = &[
    Article {
        text: [
            "Reset your password",
            "What to do when you cannot log in",
            "<p>Open the <a href=\"https://app.sandbox.test/login\">login page</a> and choose <b>Forgot password</b>.</p><h2>The email does not arrive</h2><ol><li><p>Look into the spam folder.</p></li><li><p>Ask an administrator to resend it.</p></li></ol>",
        ],
        collection: 0,
        published: true,
        changed: 40,
        french: Some((
            [
                "Réinitialiser votre mot de passe",
                "Que faire si vous ne pouvez pas vous connecter",
                "<p>Ouvrez la <a href=\"https://app.sandbox.test/login\">page de connexion</a> et choisissez <b>Mot de passe oublié</b>.</p>",
            ],
            "published",
            39,
        )),
    },
    Article {
        text: [
            "Change the VAT number on your invoices",
            "For companies in the European Union",
            "<p>Go to <b>Settings</b>, <b>Billing</b>, and enter the number.</p><div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80; border-color: #fbc91633;\"><p>Invoices that were already sent stay as they are.</p></div>",
        ],
        collection: 1,
        published: true,
        changed: 3,
        french: Some((
            [
                "Modifier le numéro de TVA de vos factures",
                "Pour les entreprises de l'Union européenne",
                "<p>Ouvrez <b>Paramètres</b>, puis <b>Facturation</b>.</p>",
            ],
            "published",
            90,
        )),
    },
    Article {
        text: [
            "Why a payment can fail",
            "Error 502 and other card errors",
            "<p>Some banks ask for a second confirmation. If it does not arrive, the checkout fails.</p>",
        ],
        collection: 4,
        published: false,
        changed: 1,
        french: None,
    },
    Article {
        text: [
            "Connect your online shop",
            "Orders and customers in one place",
            "<p>Install the plugin of your shop, then paste the key.</p><pre><code>SHOP_KEY=...</code></pre>",
        ],
        collection: 2,
        published: true,
        changed: 12,
        french: Some((
            [
                "Connecter votre boutique en ligne",
                "Commandes et clients au même endroit",
                "<p>Installez l'extension de votre boutique, puis collez la clé.</p>",
            ],
            "draft",
            11,
        )),
    },
    Article {
        text: [
            "Export your orders",
            "As CSV, every night",
            "<p>Choose <b>Reports</b>, <b>Orders</b>, <b>Export</b>. The file arrives by email.</p>",
        ],
        collection: 2,
        published: true,
        changed: 25,
        french: None,
    },
];

pub fn fill(workspace: &mut Workspace, options: &Options) {
    for (number, article) in workspace.articles.iter_mut().enumerate() {
        translate_generated(number, article);
    }
    let collections: Vec<_> = workspace.collections.iter().map(|row| row.id.clone()).collect();
    for (number, article) in ARTICLES.iter().enumerate() {
        let author_id = workspace.my_id();
        let created_at = options.now - 160 * DAY;
        let [title, description, body] = article.text.map(str::to_owned);
        let translations = article.french.map(|([title, description, body], state, changed)| {
            let times = [created_at + DAY, options.now - changed * DAY];
            let content = article_content([title, description, &stored(body)], author_id, state, times);
            Map::from_iter([(LOCALE.to_owned(), content)])
        });
        workspace.articles.insert(HelpArticle {
            id: (9_100_001 + number).to_string(),
            title,
            description,
            body: stored(&body),
            author_id,
            published: article.published,
            parent_id: collections.get(article.collection).cloned(),
            created_at,
            updated_at: options.now - article.changed * DAY,
            translations: Some(translations.unwrap_or_default()),
            views: 900 - 150 * number as i64,
        });
    }
}

/// Gives a generated article a French title and text, and leaves out every fourth.
fn translate_generated(number: usize, article: &mut HelpArticle) {
    let Some(french) = article.translations.as_mut().and_then(|translations| translations.get_mut(LOCALE))
    else {
        return;
    };
    french["title"] = match number / FRENCH_TITLES.len() {
        0 => FRENCH_TITLES[number].into(),
        round => format!("{} ({})", FRENCH_TITLES[number % FRENCH_TITLES.len()], round + 1).into(),
    };
    french["body"] = stored(FRENCH_BODY).into();
    if number % 4 == 3 {
        article.translations = Some(Map::new());
    }
}

/// HTML as the API stores it, with heading ids that depend on the text only.
pub(super) fn stored(body: &str) -> String {
    let mut heading = body.len();
    normalize_article(body, || {
        heading += 1;
        format!("{heading:010x}")
    })
}
