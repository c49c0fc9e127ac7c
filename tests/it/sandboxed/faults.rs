//! Faults that a sync has to survive: failing requests, kills, and changes to the workspace during the sync.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use intercom::api::ApiVersion;
use intercom::api::Client;
use intercom::api::request_builder::{Arguments, operation};
use intercom::sandbox::{Fault, Sandbox, Workspace};

/// A deterministic random number generator.
pub struct Dice(pub u64);

impl Dice {
    /// A number in `0..end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Makes one request in five fail, in one of four ways.
pub fn break_every_fifth(sandbox: &Sandbox, seed: u64) {
    let mut dice = Dice(seed);
    sandbox.inject_faults(move |_, request| {
        // A client that loses the first response of a scroll must wait a minute before it can open another one.
        let opens_scroll = request.operation == Some("scrollOverAllCompanies") && request.query.is_empty();
        if opens_scroll {
            return None;
        }
        match dice.below(20) {
            0 => Some(Fault::Status(503)),
            1 => Some(Fault::Drop),
            2 => Some(Fault::Truncate),
            3 => Some(Fault::Blank),
            _ => None,
        }
    });
}

/// Changes the workspace in a random way, as its users would.
pub fn apply_random_change(workspace: &mut Workspace, dice: &mut Dice) {
    use intercom::sandbox::model::conversation::{Author, ConversationEvent};
    let now = workspace.now();
    fn pick<'a>(ids: impl Iterator<Item = &'a String>, dice: &mut Dice) -> String {
        let mut ids: Vec<_> = ids.cloned().collect();
        ids.sort();
        let index = dice.below(ids.len() as u64) as usize;
        ids.swap_remove(index)
    }
    match dice.below(6) {
        0 | 1 => {
            let id = pick(workspace.conversations.iter().map(|conversation| &conversation.id), dice);
            workspace
                .apply_event(&id, ConversationEvent::new("comment", Author::Bot, now).with_body("Hm"))
                .unwrap();
        }
        2 => {
            let id = pick(workspace.contacts.iter().map(|contact| &contact.id), dice);
            workspace.touch_contact(&id).unwrap().phone = Some(format!("+1555{now}"));
        }
        3 => {
            let id = pick(workspace.conversations.iter().map(|conversation| &conversation.id), dice);
            workspace.conversations.remove(&id);
        }
        4 => {
            let id = pick(workspace.tickets.iter().map(|ticket| &ticket.id), dice);
            workspace.tickets.get_mut(&id).unwrap().updated_at = now;
        }
        _ => {
            let id = pick(workspace.companies.iter().map(|company| &company.id), dice);
            workspace.companies.get_mut(&id).unwrap().name = Some(format!("Renamed at {now}"));
        }
    }
}

/// Merges a lead into a user.
pub async fn merge(client: &Client, sandbox: &Sandbox) {
    let (lead, user) = sandbox.with_workspace(|workspace| {
        let first = |is_user: bool| {
            let contacts = workspace.contacts.iter().filter(|contact| contact.is_user == is_user);
            contacts.map(|contact| contact.id.clone()).min().unwrap()
        };
        (first(false), first(true))
    });
    let mut body = serde_json::json!({"from": lead, "into": user});
    // The two have nothing in common.
    if client.api_version().has(&ApiVersion::MERGE_REQUIRES_DUPLICATES) {
        body["skip_duplicate_validation"] = true.into();
    }
    let body = body.to_string().into_bytes();
    let arguments = Arguments { body: Some(body), ..Arguments::default() };
    client.execute(operation("MergeContact").unwrap(), &arguments).await.unwrap();
}

/// Runs a command and kills it after `limit`, without a chance to clean up. Returns whether it was killed.
pub fn killed_after(mut command: Command, limit: Duration) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while started.elapsed() < limit {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // SIGKILL on Unix.
    let killed = child.kill().is_ok();
    child.wait().unwrap();
    killed
}
