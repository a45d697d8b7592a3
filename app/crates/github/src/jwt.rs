//! The App's JWTs, by which it is known to GitHub: dated by our clock, and by GitHub's where that
//! is why GitHub refuses one.
//!
//! Not by GitHub's from the beginning: a `Date` may be a proxy's, or that of an answer which it
//! kept. Our clock is left only once GitHub has refused it and taken the other.

use super::clock::{SAME, TimeSource};
use super::error::GitHubError;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use std::sync::{Mutex, PoisonError};

/// JWTs are back-dated by this much, as GitHub recommends
/// (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>):
/// one from the future is refused.
const BACKDATED: SignedDuration = SignedDuration::from_mins(1);
/// How long one is good for from now on. GitHub takes ten minutes at most, by its own clock, which
/// may be a little behind ours.
const LIFE: SignedDuration = SignedDuration::from_mins(9);

/// Signs for the App.
pub(super) struct JwtSigner {
    app_id: u64,
    key: EncodingKey,
    time: TimeSource,
    /// How far GitHub's clock is ahead of ours, where GitHub has refused ours and taken its own;
    /// else zero.
    ahead: Mutex<SignedDuration>,
}

#[derive(Serialize)]
struct Claims {
    iss: u64,
    iat: i64,
    exp: i64,
}

/// A JWT, and how far it was dated ahead of our clock.
pub(super) struct Jwt {
    /// As it is sent.
    pub(super) text: String,
    ahead: SignedDuration,
}

/// A JWT of the App, made at this moment.
///
/// # Errors
/// The key can't sign.
pub(super) fn sign(app_id: u64, key: &EncodingKey, now: Timestamp) -> Result<String, GitHubError> {
    let claims = Claims { iss: app_id, iat: (now - BACKDATED).as_seconds(), exp: (now + LIFE).as_seconds() };
    encode(&Header::new(Algorithm::RS256), &claims, key)
        .map_err(|_| GitHubError::Key("it can't sign: damaged, cut off, or not a private RSA key".to_owned()))
}

impl JwtSigner {
    /// With this key, by this clock.
    pub(super) fn new(app_id: u64, key: EncodingKey, time: TimeSource) -> Self {
        Self { app_id, key, time, ahead: Mutex::default() }
    }

    /// By the clock that GitHub took last.
    pub(super) fn sign(&self) -> Result<Jwt, GitHubError> {
        self.ahead_by(*self.ahead.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// After `refused`, by the clock of GitHub's own that said `theirs` in its refusal; `None`
    /// where the refused one was of that time already, so that another would be refused as well.
    pub(super) fn sign_anew(&self, refused: &Jwt, theirs: Timestamp) -> Option<Result<Jwt, GitHubError>> {
        let apart = theirs - self.time.now();
        let ahead = if apart.abs() > SAME { apart } else { SignedDuration::ZERO };
        let is_other = (ahead - refused.ahead).abs() > SAME;
        is_other.then(|| self.ahead_by(ahead))
    }

    /// Goes by this one's clock from now on, for GitHub has taken it.
    pub(super) fn accepted(&self, jwt: &Jwt) {
        self.set(jwt.ahead);
    }

    /// Goes by our own clock again: GitHub took neither what was gone by, nor what it said itself.
    pub(super) fn refused(&self) {
        self.set(SignedDuration::ZERO);
    }

    fn ahead_by(&self, ahead: SignedDuration) -> Result<Jwt, GitHubError> {
        let text = sign(self.app_id, &self.key, self.time.now() + ahead)?;
        Ok(Jwt { text, ahead })
    }

    fn set(&self, ahead: SignedDuration) {
        let mut kept = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept == ahead {
            return;
        }
        *kept = ahead;
        if ahead.is_zero() {
            tracing::info!("JWTs for GitHub are dated by our clock again");
        } else {
            tracing::warn!(
                ahead_s = ahead.as_secs(),
                "GitHub refused a JWT of our clock's time: they are dated by GitHub's, which is so far ahead (or behind, \
                 if negative)"
            );
        }
    }
}
