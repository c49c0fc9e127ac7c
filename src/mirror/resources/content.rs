//! What is published: articles and news.

use super::{Bound, Field, PLAIN, Resource, ResourceName, Route, column};

pub static ARTICLES: Resource = Resource {
    name: ResourceName::Articles,
    columns: &[
        column("title", Field::Text("/title")),
        column("state", Field::Text("/state")),
        column("author_id", Field::Reference("/author_id")),
        column("parent_id", Field::Reference("/parent_id")),
        column("parent_type", Field::Text("/parent_type")),
        column("url", Field::Text("/url")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
        column("statistics_views", Field::Integer("/statistics/views")),
        column("statistics_conversations", Field::FirstInteger(CONVERSATIONS)),
        column("statistics_reactions", Field::Integer("/statistics/reactions")),
        column(
            "statistics_happy_reaction_percentage",
            Field::Number("/statistics/happy_reaction_percentage"),
        ),
        column(
            "statistics_neutral_reaction_percentage",
            Field::Number("/statistics/neutral_reaction_percentage"),
        ),
        column("statistics_sad_reaction_percentage", Field::Number("/statistics/sad_reaction_percentage")),
    ],
    age: Some("updated_at"),
    shortened: true,
    routes: &[Route::bound("listArticles", Bound::NewestFirst)],
    changes: &[Route::bound("listArticles", Bound::NewestFirst)],
    one: Some("retrieveArticle"),
    ..PLAIN
};

pub static COLLECTIONS: Resource = Resource {
    name: ResourceName::Collections,
    columns: &[
        column("name", Field::Text("/name")),
        column("parent_id", Field::Reference("/parent_id")),
        column("help_center_id", Field::Text("/help_center_id")),
        column("position", Field::Integer("/order")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    routes: &[Route::get("listAllCollections")],
    one: Some("retrieveCollection"),
    ..PLAIN
};

pub static HELP_CENTERS: Resource = Resource {
    name: ResourceName::HelpCenters,
    columns: &[
        column("identifier", Field::Text("/identifier")),
        column("display_name", Field::Text("/display_name")),
        column("website_turned_on", Field::Flag("/website_turned_on")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    routes: &[Route::get("listHelpCenters")],
    one: Some("retrieveHelpCenter"),
    ..PLAIN
};

pub static INTERNAL_ARTICLES: Resource = Resource {
    name: ResourceName::InternalArticles,
    columns: &[
        column("title", Field::Text("/title")),
        column("author_id", Field::Reference("/author_id")),
        column("owner_id", Field::Reference("/owner_id")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    routes: &[Route::bound("listInternalArticles", Bound::NewestFirst)],
    changes: &[Route::bound("listInternalArticles", Bound::NewestFirst)],
    one: Some("retrieveInternalArticle"),
    ..PLAIN
};

pub static NEWS_ITEMS: Resource = Resource {
    name: ResourceName::NewsItems,
    columns: &[
        column("title", Field::Text("/title")),
        column("state", Field::Text("/state")),
        column("sender_id", Field::Reference("/sender_id")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    age: Some("updated_at"),
    routes: &[Route::bound("listNewsItems", Bound::NewestFirst)],
    changes: &[Route::bound("listNewsItems", Bound::NewestFirst)],
    one: Some("retrieveNewsItem"),
    ..PLAIN
};

/// Conversations that began at an article, as descriptions and answers call them.
const CONVERSATIONS: &[&str] = &["/statistics/conversations", "/statistics/conversions"];
