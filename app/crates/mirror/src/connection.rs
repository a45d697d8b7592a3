//! A conversation with a git server: who we are, how long we wait, and where the token may go.

use super::clone_source::Address;
use super::error::MirrorError;
use super::largest::Largest;
use super::patience::SILENCE;
use super::progress::Meter;
use super::transport;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::remote::{Connection, Direction};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What servers see of us in their logs.
const USER_AGENT: &str = concat!("flawless/", env!("CARGO_PKG_VERSION"));

/// Packs that a store can hold while it is open. gix takes 32 unless told otherwise, each fetch
/// adds one, and the first that does not fit breaks every open handle (gitoxide#1788).
/// [`super::consolidate`] keeps far below it.
const PACK_SLOTS: u16 = 1024;

/// How mirrors are opened: nothing of this machine's git configuration or environment reaches them.
pub(super) fn open_options(largest: Largest) -> gix::open::Options {
    gix::open::Options::isolated()
        .config_overrides([
            format!("gitoxide.userAgent={USER_AGENT}"),
            format!("gitoxide.objects.allocLimit={}", largest as usize),
            // Blame over a shallow history is wrong, so such a source is refused by name.
            "clone.rejectShallow=true".to_owned(),
        ])
        .object_store_slots(gix::odb::store::init::Slots::Given(PACK_SLOTS))
}

/// Connects, with the source's account and nothing else. `challenged` is set once the server asks
/// for other credentials.
///
/// The account is given before the handshake, not when the server asks: that saves a request and
/// lets gix follow the redirect of a renamed private repository. When a server does ask, the answer
/// is always no: a redirect to another host drops the account, that host asks, and a callback that
/// answered would hand it the token.
pub(super) fn connect<'remote, 'auth, 'repo>(
    remote: &'remote gix::Remote<'repo>,
    address: &Address,
    meter: &Arc<Meter>,
    challenged: &'auth AtomicBool,
) -> Result<Connection<'remote, 'auth, 'repo, Box<dyn Transport + Send>>, gix::Error> {
    let url = remote.url(Direction::Fetch).unwrap_or(&address.url);
    let connection = match transport::open(address, url, meter)? {
        Some(ours) => remote.to_connection_with_transport(ours),
        None => remote.connect(Direction::Fetch)?,
    };
    let mut connection = connection.with_credentials(move |action| {
        if matches!(action, gix::credentials::helper::Action::Get(_)) {
            challenged.store(true, Ordering::Relaxed);
        }
        Ok(None)
    });
    let url = address.url.to_bstring();
    let options = remote.repo().transport_options(gix::bstr::BStr::new(&url), None)?;
    if let Some(mut options) = options.and_then(|options| options.downcast::<http::Options>().ok()) {
        let client = http::reqwest::Options {
            configure_client: Some(Box::new(|builder| Ok(builder.timeout(SILENCE).user_agent(USER_AGENT)))),
            configure_request: None,
        };
        options.backend = Some(Arc::new(Mutex::new(client)));
        if let Some((username, password)) = address.account.clone() {
            if address.is_plain_http() {
                // gix sends no account over plain http, which tests and some company networks use;
                // a header it does send, and refuses every redirect then.
                options.extra_headers.extend(address.authorization());
            } else {
                connection
                    .transport_mut()
                    .set_identity(gix::sec::identity::Account { username, password, oauth_refresh_token: None })
                    .map_err(gix::Error::from_error)?;
            }
        }
        connection.set_transport_options(options);
    }
    Ok(connection)
}

/// Where a plain http repository with an account has moved to on the same server, if it has: gix
/// follows no redirect there.
pub(super) fn moved(address: &Address) -> Result<Option<String>, MirrorError> {
    const SERVICE: &str = "/info/refs?service=git-upload-pack";
    if !address.is_plain_http() || address.account.is_none() {
        return Ok(None);
    }
    let unreachable = |error: reqwest::Error| MirrorError::Unreachable {
        url: address.shown.clone(),
        why: error.without_url().to_string(),
    };
    let client = reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(SILENCE)
        .user_agent(USER_AGENT)
        .build()
        .map_err(unreachable)?;
    let (user, password) = address.account.clone().unzip();
    let answer = client
        .get(format!("{}{SERVICE}", address.text.trim_end_matches('/')))
        .basic_auth(user.unwrap_or_default(), password)
        .send()
        .map_err(unreachable)?;
    if !answer.status().is_redirection() {
        return Ok(None);
    }
    let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
    let Some(target) = location.and_then(|location| answer.url().join(location).ok()) else { return Ok(None) };
    let same_server = target.origin() == answer.url().origin();
    Ok(target.as_str().strip_suffix(SERVICE).filter(|_| same_server).map(str::to_owned))
}
