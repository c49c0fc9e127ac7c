//! The flags that name who a conversation or ticket is assigned to. A name that fits nobody is refused, never guessed.

use clap::Args;
use serde_json::{Value, json};

use super::session::{VerbSession, pick};
use crate::bulk::directory;
use crate::bulk::{self, Assignee, NotFoundKind};
use crate::cli::error::{Error, Hint};

/// Who to assign to.
#[derive(Debug, Args)]
#[group(id = "assignee", multiple = false)]
pub struct AssigneeFlags {
    /// Teammate to assign to
    #[arg(long, value_name = "NAME|EMAIL|ID")]
    to: Option<String>,
    /// Team to assign to
    #[arg(long, value_name = "NAME|ID")]
    team: Option<String>,
    /// Assign to the teammate who acts
    #[arg(long)]
    me: bool,
    /// Remove the assigned teammate
    #[arg(long)]
    nobody: bool,
}

impl AssigneeFlags {
    /// The assignee, and its fields in the result.
    ///
    /// # Errors
    /// An unknown or ambiguous name; API errors.
    pub async fn resolve(&self, session: &VerbSession<'_>) -> Result<(Assignee, Value), Error> {
        let client = &session.client;
        if self.nobody {
            return Ok((Assignee::nobody(), json!({ "assignee": null })));
        }
        if let Some(name) = &self.team {
            let teams = directory::teams(client).await?;
            let team = pick(&teams, NotFoundKind::Team, name, "teams list")?;
            return Ok((Assignee::Team(team.id.clone()), json!({ "assignee": team.name })));
        }
        let Some(name) = &self.to else {
            if !self.me {
                return Err(Error::usage("no assignee given: use --to, --team, --me or --nobody"));
            }
            let identity = &session.identity;
            let id = identity.admin_id.clone().ok_or(bulk::Error::NoTeammate)?;
            return Ok((Assignee::Admin(id), json!({ "assignee": identity.admin_name })));
        };
        let admins = directory::admins(client).await?;
        match pick(&admins, NotFoundKind::Teammate, name, "admins list") {
            Ok(admin) => Ok((Assignee::Admin(admin.id.clone()), json!({ "assignee": admin.name }))),
            Err(error) => {
                let teams = directory::teams(client).await?;
                let is_team = directory::pick(&teams, NotFoundKind::Team, name).is_ok();
                Err(if is_team {
                    Error::usage_with_hint(
                        format!("{name:?} is a team, not a teammate"),
                        Hint::new("use ").flag("team").text(format!(" {name:?}")),
                    )
                } else {
                    error
                })
            }
        }
    }
}
