//! Finds the region that accepts a token.
//!
//! A token works in one region only. It is sent to the known regions alone, never to a server that somebody else named.

use crate::api::identity::{Identity, identity};
use crate::api::region::Region;
use crate::config::Settings;

use super::context::Context;
use super::credentials::Credential;
use super::error::Error;

/// What the regions answered.
#[derive(Debug)]
pub struct RegionSearch<T> {
    /// The first region that accepted the token, and its answer.
    pub accepted: Option<(Region, T)>,
    /// The other answers, in the order of the requests.
    pub failures: Vec<(Region, Error)>,
}

/// Asks regions one after the other until one accepts the token. A failure other than a refusal proves nothing about the
/// other regions, so they are asked as well.
pub async fn find<T>(
    regions: impl IntoIterator<Item = Region>,
    ask: impl AsyncFn(Region) -> Result<T, Error>,
) -> RegionSearch<T> {
    let mut failures = Vec::new();
    for region in regions {
        match ask(region).await {
            Ok(answer) => return RegionSearch { accepted: Some((region, answer)), failures },
            Err(error) => failures.push((region, error)),
        }
    }
    RegionSearch { accepted: None, failures }
}

/// The owner of a token in a region.
///
/// # Errors
/// Those of the request, and of invalid settings.
pub async fn ask(
    context: &Context,
    settings: &Settings,
    credential: &Credential,
    region: Region,
) -> Result<Identity, Error> {
    let client = context.client_at(settings, Some(credential.clone()), region.base_url())?;
    Ok(identity(&client).await?)
}

/// The region other than `refusing` that accepts the token, if there is one.
pub async fn other(
    context: &Context,
    settings: &Settings,
    credential: &Credential,
    refusing: Region,
) -> Option<Region> {
    let others = Region::ALL.into_iter().filter(|region| *region != refusing);
    let search = find(others, async |region| ask(context, settings, credential, region).await).await;
    search.accepted.map(|(region, _)| region)
}

impl<T> RegionSearch<T> {
    /// The first failure that is not a refusal of the token.
    pub fn into_obstacle(self) -> Option<(Region, Error)> {
        let is_obstacle = |error: &Error| !matches!(error, Error::Api(error) if error.status() == Some(401));
        self.failures.into_iter().find(|(_, error)| is_obstacle(error))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, StatusCode};

    use super::*;
    use crate::api;

    fn refusal() -> Error {
        let error =
            api::error::ApiError::read(StatusCode::UNAUTHORIZED, Method::GET, "/me".into(), None, "{}");
        Error::Api(error.into())
    }

    fn unreachable() -> Error {
        Error::Api(api::Error::Connect { host: "api.test".into(), cause: "refused".into() })
    }

    #[tokio::test]
    async fn the_first_accepting_region_ends_the_search() {
        let search = find(Region::ALL, async |region| match region {
            Region::Us => Err(refusal()),
            Region::Eu => Ok("Shop"),
            Region::Au => panic!("asked after a region had accepted the token"),
        });
        assert_eq!(search.await.accepted, Some((Region::Eu, "Shop")));
    }

    #[tokio::test]
    async fn an_unreachable_region_is_not_a_refusal() {
        let search = find(Region::ALL, async |_| Err::<(), _>(refusal())).await;
        assert!(search.accepted.is_none() && search.into_obstacle().is_none());
        let search = find(Region::ALL, async |region| {
            Err::<(), _>(if region == Region::Eu { unreachable() } else { refusal() })
        });
        assert_eq!(search.await.into_obstacle().map(|(region, _)| region), Some(Region::Eu));
    }
}
