//! One HTTP answer of GitHub's: read, and sorted into success or the right error.

use super::error::{GitHubError, redact};
use domain::timestamp::Timestamp;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::error::Error;

/// Bytes of one answer, which is kept whole. A page of a list, the largest, has less than one MB;
/// what is many times that is none of GitHub's, and may have no end.
const LARGEST_ANSWER: usize = 32 << 20;
/// Wait where a limit names no time: GitHub's documentation says at least a minute.
const UNNAMED_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// Longest wait that is believed. The primary limit resets within an hour; a broken clock must not
/// stop us for days.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(2);
/// Shortest wait: a limit that is "over now" is still met again at once.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_secs(1);

/// Status, the headers that mean something to us, and the body.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// `retry-after`: seconds, or a date where a proxy put it.
    pub(super) retry_after: Option<String>,
    /// `x-ratelimit-remaining`.
    pub(super) remaining: Option<String>,
    /// `x-ratelimit-reset`, Unix seconds.
    pub(super) reset: Option<String>,
    /// `date`: GitHub's clock, by which its times are read, so that ours need not be right.
    pub(super) date: Option<String>,
    /// `location`, for redirects.
    pub(super) location: Option<String>,
    /// `link`, for further pages.
    pub(super) link: Option<String>,
    /// The body.
    pub(super) body: String,
}

/// An answer's body as a text, as far as there is room for it: the one place where any is read.
pub(super) async fn text_of<B>(body: B) -> Result<String, GitHubError>
where
    B: BodyExt,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let bytes = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let most = LARGEST_ANSWER >> 20;
            return GitHubError::transient(format!("its answer has more than {most} MiB, and was not read to its end"));
        }
        error.downcast_ref().map_or_else(|| GitHubError::transient(error.to_string()), GitHubError::from_octocrab)
    })?;
    String::from_utf8(bytes.to_bytes().into())
        .map_err(|_| GitHubError::Unexpected("its answer is no text in UTF-8".to_owned()))
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    errors: Option<serde_json::Value>,
}

impl Answer {
    /// 2xx.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Points elsewhere.
    pub(super) fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 307 | 308)
    }

    /// The body as JSON. `what` names it in the error.
    pub(super) fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T, GitHubError> {
        serde_json::from_str(&self.body).map_err(|error| GitHubError::Unexpected(redact(&format!("{what}: {error}"))))
    }

    /// Success, or what it means. `what` names the thing that was asked for.
    pub(super) fn accepted(self, what: &str, installation: Option<u64>) -> Result<Self, GitHubError> {
        if self.is_success() { Ok(self) } else { Err(self.to_error(what, installation)) }
    }

    /// GitHub's date, where it sent one.
    pub(super) fn date(&self) -> Option<Timestamp> {
        http_date(self.date.as_deref()?)
    }

    /// What an answer that is no success means.
    pub(super) fn to_error(&self, what: &str, installation: Option<u64>) -> GitHubError {
        let message = self.message();
        if self.is_rate_limit(&message) {
            let retry_after = self.wait().unwrap_or(UNNAMED_WAIT);
            return GitHubError::RateLimited { retry_after, message };
        }
        match (self.status, installation) {
            (401, _) => GitHubError::Unauthorized(message),
            // What a JWT of an unknown APP_ID gets.
            (404, _) if message.contains("Integration not found") => GitHubError::Unauthorized(message),
            (403, Some(installation)) if message.to_ascii_lowercase().contains("suspended") => {
                GitHubError::Suspended { installation }
            }
            (404 | 410, _) => GitHubError::Gone(format!("{what} ({message})")),
            (408, _) | (500.., _) => GitHubError::Transient {
                message: format!("{} for {what}: {message}", self.status),
                retry_after: self.retry_after(),
            },
            (status, _) if self.is_redirect() => {
                let target = redact(self.location.as_deref().unwrap_or("nowhere"));
                GitHubError::Refused { status, message: format!("{what}: redirected to {target}") }
            }
            (status, _) => GitHubError::Refused { status, message: format!("{what}: {message}") },
        }
    }

    /// GitHub's `message` and the fields of its `errors`; nothing of a body that is not JSON
    /// (proxies send pages).
    fn message(&self) -> String {
        let Ok(body) = serde_json::from_str::<ErrorBody>(&self.body) else {
            return "no explanation".to_owned();
        };
        let mut text = body.message.unwrap_or_else(|| "no explanation".to_owned());
        if let Some(errors) = body.errors.filter(|errors| !errors.is_null()) {
            text.push_str(&format!(" {errors}"));
        }
        redact(&text)
    }

    /// 429, or one of the three ways in which GitHub says it by a 403.
    fn is_rate_limit(&self, message: &str) -> bool {
        let message = message.to_ascii_lowercase();
        let said = message.contains("rate limit") || message.contains("abuse detection");
        self.status == 429
            || (self.status == 403 && (self.retry_after.is_some() || self.remaining.as_deref() == Some("0") || said))
    }

    /// `retry-after`, else the reset of an exhausted primary limit.
    fn wait(&self) -> Option<SignedDuration> {
        let reset = || {
            let exhausted = self.remaining.as_deref() == Some("0");
            let reset_s: i64 = self.reset.as_deref().filter(|_| exhausted)?.trim().parse().ok()?;
            Some(Timestamp::from_seconds(reset_s) - self.date()?)
        };
        match self.retry_after() {
            Some(wait) => Some(wait),
            None => reset().map(clamp),
        }
    }

    fn retry_after(&self) -> Option<SignedDuration> {
        let text = self.retry_after.as_deref()?.trim();
        let wait = match text.parse::<i64>() {
            Ok(seconds) => SignedDuration::from_secs(seconds),
            Err(_) => http_date(text)? - self.date()?,
        };
        Some(clamp(wait))
    }
}

fn clamp(wait: SignedDuration) -> SignedDuration {
    wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            body: body.to_owned(),
            date: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            ..Answer::default()
        }
    }

    fn error(answer: Answer) -> GitHubError {
        answer.accepted("acme/shop", Some(7)).expect_err("an error")
    }

    #[test]
    fn every_kind_of_limit_is_seen_with_its_wait() {
        let limited = |headers: fn(&mut Answer), status, message: &str| {
            let mut it = answer(status, &format!(r#"{{"message":"{message}"}}"#));
            headers(&mut it);
            error(it).retry_after().map(|wait| wait.as_secs())
        };
        assert_eq!(limited(|_| {}, 429, "slow down"), Some(60));
        assert_eq!(limited(|a| a.retry_after = Some("30".into()), 403, "no"), Some(30));
        assert_eq!(limited(|a| a.retry_after = Some("0".into()), 429, "no"), Some(1));
        let date = "Sun, 06 Nov 1994 08:50:37 GMT";
        assert_eq!(limited(|a| a.retry_after = Some("Sun, 06 Nov 1994 08:50:37 GMT".into()), 429, date), Some(60));
        // The reset is read by GitHub's own clock (784111777 is that date).
        let reset: fn(&mut Answer) = |a| {
            a.remaining = Some("0".into());
            a.reset = Some("784111807".into());
        };
        assert_eq!(limited(reset, 403, "API rate limit exceeded"), Some(30));
        let broken: fn(&mut Answer) = |a| {
            a.remaining = Some("0".into());
            a.reset = Some("99999999999".into());
        };
        assert_eq!(limited(broken, 403, "API rate limit exceeded"), Some(LONGEST_WAIT.as_secs()));
        assert_eq!(limited(|_| {}, 403, "You have exceeded a secondary rate limit."), Some(60));
        assert_eq!(limited(|_| {}, 403, "You have triggered an abuse detection mechanism"), Some(60));
        // A primary limit that isn't exhausted says nothing about a secondary one's end.
        let unrelated: fn(&mut Answer) = |a| {
            a.remaining = Some("4000".into());
            a.reset = Some("784111779".into());
        };
        assert_eq!(limited(unrelated, 403, "You have exceeded a secondary rate limit"), Some(60));
    }

    #[test]
    fn a_refusal_is_no_limit() {
        let refused = error(answer(403, r#"{"message":"Resource not accessible by integration"}"#));
        assert_eq!(refused.to_string(), "GitHub refuses (403): acme/shop: Resource not accessible by integration");
        assert!(refused.is_permanent());
        let suspended = error(answer(403, r#"{"message":"This installation has been suspended"}"#));
        assert_eq!(suspended, GitHubError::Suspended { installation: 7 });
    }

    #[test]
    fn a_page_instead_of_json_is_not_repeated() {
        let error = error(answer(502, "<html>Unicorn! ghs_abc</html>"));
        assert_eq!(error.to_string(), "GitHub does not answer properly: 502 for acme/shop: no explanation");
        assert!(!error.is_permanent());
    }

    #[test]
    fn validation_errors_are_repeated_without_tokens() {
        let body = r#"{"message":"Validation Failed","errors":[{"resource":"Label","code":"already_exists","field":"ghs_1.2"}]}"#;
        let text = error(answer(422, body)).to_string();
        assert!(text.contains("already_exists") && text.contains("[token]") && !text.contains("ghs_"), "{text}");
    }
}
