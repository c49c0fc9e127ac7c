//! The field names by which [`super::fields`] decides what text is trusted.
//!
//! A name belongs in a list only if the API's description defines who writes the text below it.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A set of names, separated by spaces.
type FieldNames = LazyLock<HashSet<&'static str>>;

fn set(names: &'static str) -> HashSet<&'static str> {
    names.split(' ').collect()
}

/// Fields whose text the API generates.
pub static API_TEXTS: FieldNames = LazyLock::new(|| {
    set("\
        id type state status role delivered_as priority category locale default_locale timezone \
        timezone_name region resource model scroll_param starting_after next method operator kind code \
        effect command watermark since until outcome run job_identifier download_url sla_status \
        activity_type admin_assignee_id admin_id app_id article_id assignee_id author_id author_type \
        call_type consent_type contact_id content_id content_type conversation_id conversation_part_id \
        data_type help_center_id intercom_user_id last_answer_type last_closed_by_id message_type \
        newsfeed_id owner_id parent_id parent_type part_id part_type person_type segment_id sender_id \
        series_id setting_type source_id source_type subscription_type tag_id team_assignee_id team_id \
        ticket_id ticket_state_id ticket_type_id workspace_id resolution_state api_version written_by \
        last_message_by id_code base_url synced_at request_id undoes")
});

/// Lists inside a record, whose `url` is an API path.
pub const SUBLISTS: [&str; 7] = [
    "tags",
    "notes",
    "companies",
    "contacts",
    "segments",
    "opted_in_subscription_types",
    "opted_out_subscription_types",
];

/// Fields of our reports that quote the API.
pub const QUOTED_TEXTS: [&str; 3] = ["reason", "error", "message"];

/// Ids chosen by the clients that send data to the API.
pub const CLIENT_IDS: [&str; 4] = ["external_id", "user_id", "company_id", "client_id"];

/// Objects and lists whose field names the API defines.
pub static API_OBJECTS: FieldNames = LazyLock::new(|| {
    set("\
        meta results plan before named data articles admins teams segments tags tag notes note companies \
        company contacts contact user users visitor lead conversations conversation conversation_parts \
        parts part messages tickets ticket ticket_parts ticket_type ticket_types ticket_state \
        ticket_states subscription_types opted_in_subscription_types opted_out_subscription_types events \
        source author assigned_to applied_by performed_by owner teammates admin team pages next app \
        workspace statistics first_contact_reply sla_applied conversation_rating linked_objects \
        social_profiles ai_agent hits records resources from into")
});
