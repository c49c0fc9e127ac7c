//! What a sync has to live with: failing answers, kills, and a workspace that does not hold still.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use intercom::api::Client;
use intercom::api::executor::{Arguments, operation};
use intercom::sandbox::{Fault, Sandbox, Workspace};

/// Numbers that look random and are the same every time.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Breaks every fifth call in one of four ways.
pub fn break_every_fifth(sandbox: &Sandbox, seed: u64) {
    let mut dice = Dice(seed);
    sandbox.disturb(move |_, served| {
        // Who loses the first answer of a scroll has to wait a minute for the next one.
        let opens = served.operation == Some("scrollOverAllCompanies") && served.query.is_empty();
        if opens {
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

/// Does something to the workspace, as its users would.
pub fn disturb(workspace: &mut Workspace, dice: &mut Dice) {
    use intercom::sandbox::model::conversation::{Author, Happening};
    let now = workspace.now();
    let pick = |ids: Vec<String>, dice: &mut Dice| {
        let mut ids = ids;
        ids.sort();
        let place = dice.below(ids.len() as u64) as usize;
        ids.swap_remove(place)
    };
    match dice.below(6) {
        0 | 1 => {
            let id = pick(workspace.conversations.iter().map(|it| it.id.clone()).collect(), dice);
            workspace.happen(&id, Happening::new("comment", Author::Bot, now).saying("Hm")).unwrap();
        }
        2 => {
            let id = pick(workspace.contacts.iter().map(|it| it.id.clone()).collect(), dice);
            workspace.touch_contact(&id).unwrap().phone = Some(format!("+1555{now}"));
        }
        3 => {
            let id = pick(workspace.conversations.iter().map(|it| it.id.clone()).collect(), dice);
            workspace.conversations.remove(&id);
        }
        4 => {
            let id = pick(workspace.tickets.iter().map(|it| it.id.clone()).collect(), dice);
            workspace.tickets.get_mut(&id).unwrap().updated_at = now;
        }
        _ => {
            let id = pick(workspace.companies.iter().map(|it| it.id.clone()).collect(), dice);
            workspace.companies.get_mut(&id).unwrap().name = Some(format!("Renamed at {now}"));
        }
    }
}

pub async fn merge(client: &Client, sandbox: &Sandbox) {
    let (lead, user) = sandbox.with_workspace(|workspace| {
        let first = |is_user: bool| {
            let ids = workspace.contacts.iter().filter(|it| it.is_user == is_user).map(|it| it.id.clone());
            ids.min().unwrap()
        };
        (first(false), first(true))
    });
    let body = format!(r#"{{"from":"{lead}","into":"{user}"}}"#).into_bytes();
    let arguments = Arguments { body: Some(body), ..Arguments::default() };
    client.execute(operation("MergeContact").unwrap(), &arguments).await.unwrap();
}

/// Runs a command until it ends or the time is up; then it is killed, with no chance to tidy up. Returns
/// whether it was killed.
pub fn killed_after(mut command: Command, limit: Duration) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while began.elapsed() < limit {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // SIGKILL, where there are signals.
    let killed = child.kill().is_ok();
    child.wait().unwrap();
    killed
}
