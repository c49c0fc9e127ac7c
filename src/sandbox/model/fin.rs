//! Conversations that Fin answers in a channel outside Intercom.

/// A conversation, by the customer's own id.
#[derive(Debug, Clone, Default)]
pub struct FinConversation {
    /// The customer's own id of the person.
    pub user_id: String,
    /// Whether Fin has asked for a rating.
    pub is_rating_requested: bool,
    pub rating: Option<String>,
    /// Final: a rating with a remark cannot change.
    pub remark: Option<String>,
}
