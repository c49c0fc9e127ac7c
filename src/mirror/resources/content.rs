//! Published content: articles and news.

use serde_json::Value;

use super::{Bound, DEFAULT, JsonField, Resource, ResourceName, Route, column};
use crate::mirror::spelling;

pub static ARTICLES: Resource = Resource {
    name: ResourceName::Articles,
    about: "Help center articles",
    columns: &[
        column("title", JsonField::Text("/title")),
        column("state", JsonField::Text("/state")),
        column("author_id", JsonField::Reference("/author_id")),
        column("parent_id", JsonField::DerivedText(PARENT, parent_id)),
        column("parent_type", JsonField::DerivedText(PARENT, parent_type)),
        column("url", JsonField::Text("/url")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
        column("statistics_views", JsonField::Integer("/statistics/views")),
        column("statistics_conversations", JsonField::FirstInteger(CONVERSATIONS)),
        column("statistics_reactions", JsonField::Integer("/statistics/reactions")),
        column(
            "statistics_happy_reaction_percentage",
            JsonField::Number("/statistics/happy_reaction_percentage"),
        ),
        column(
            "statistics_neutral_reaction_percentage",
            JsonField::Number("/statistics/neutral_reaction_percentage"),
        ),
        column(
            "statistics_sad_reaction_percentage",
            JsonField::Number("/statistics/sad_reaction_percentage"),
        ),
    ],
    updated_at_column: Some("updated_at"),
    list_is_summary: true,
    routes: &[Route::bound("listArticles", Bound::NewestFirst)],
    changes: &[Route::bound("listArticles", Bound::NewestFirst)],
    get_operation: Some("retrieveArticle"),
    ..DEFAULT
};

pub static COLLECTIONS: Resource = Resource {
    name: ResourceName::Collections,
    about: "Collections of articles",
    columns: &[
        column("name", JsonField::Text("/name")),
        column("parent_id", JsonField::Reference("/parent_id")),
        column("help_center_id", JsonField::Text("/help_center_id")),
        column("position", JsonField::Integer("/order")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    routes: &[Route::get("listAllCollections")],
    get_operation: Some("retrieveCollection"),
    ..DEFAULT
};

pub static HELP_CENTERS: Resource = Resource {
    name: ResourceName::HelpCenters,
    about: "Help centers",
    columns: &[
        column("identifier", JsonField::Text("/identifier")),
        column("display_name", JsonField::Text("/display_name")),
        column("website_turned_on", JsonField::Flag("/website_turned_on")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    routes: &[Route::get("listHelpCenters")],
    get_operation: Some("retrieveHelpCenter"),
    ..DEFAULT
};

pub static INTERNAL_ARTICLES: Resource = Resource {
    name: ResourceName::InternalArticles,
    about: "Articles for teammates only",
    columns: &[
        column("title", JsonField::Text("/title")),
        column("author_id", JsonField::Reference("/author_id")),
        column("owner_id", JsonField::Reference("/owner_id")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    routes: &[Route::bound("listInternalArticles", Bound::NewestFirst)],
    changes: &[Route::bound("listInternalArticles", Bound::NewestFirst)],
    get_operation: Some("retrieveInternalArticle"),
    ..DEFAULT
};

pub static NEWS_ITEMS: Resource = Resource {
    name: ResourceName::NewsItems,
    about: "News items",
    columns: &[
        column("title", JsonField::Text("/title")),
        column("state", JsonField::Text("/state")),
        column("sender_id", JsonField::Reference("/sender_id")),
        column("created_at", JsonField::Time("/created_at")),
        column("updated_at", JsonField::Time("/updated_at")),
    ],
    updated_at_column: Some("updated_at"),
    routes: &[Route::bound("listNewsItems", Bound::NewestFirst)],
    changes: &[Route::bound("listNewsItems", Bound::NewestFirst)],
    get_operation: Some("retrieveNewsItem"),
    ..DEFAULT
};

/// Conversations that began at an article, as named in the API description and in responses.
const CONVERSATIONS: &[&str] = &["/statistics/conversations", "/statistics/conversions"];

/// What the parent of an article is read from.
const PARENT: &[&str] = &["/parent_ids", "/parent_id", "/parent_type"];

fn parent_id(article: &Value) -> Option<String> {
    spelling::parent_id(article)
}

fn parent_type(article: &Value) -> Option<String> {
    spelling::parent_type(article)
}
