//! The e-mail of an alert, as plain text and as HTML.

use super::alert::AlertView;
use super::detail::DETAILS;
use super::engine::{RenderError, render};
use super::facts::Medium;
use super::format::{file_line, function, headline};
use domain::alert::Alert;
use minijinja::context;
use minijinja::value::Serde;

/// Gmail cuts HTML off at 102 KB and hides the links at the end; the encoding for transport and its
/// own additions come on top.
const MOST_HTML_BYTES: usize = 80_000;

/// Subjects beyond this are unreadable in every list of mails (characters).
const MOST_SUBJECT_CHARS: usize = 200;

/// A rendered e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// One line, at most 200 characters.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part, saying the same.
    pub html: String,
}

/// The e-mail of an alert. Values are shown as they are in the alert: scrub before.
///
/// # Errors
/// [`RenderError`] where a template is faulty, whatever the alert.
pub fn mail(alert: &Alert) -> Result<Mail, RenderError> {
    let subject = subject(alert);
    let mut shortened = false;
    let mut made = None;
    for detail in &DETAILS {
        let view = AlertView::new(alert, detail, Medium::Mail, shortened);
        let values = context! { alert => Serde(view), subject => subject.as_str() };
        let html = render("email/alert.html", values.clone())?;
        let fits = html.len() <= MOST_HTML_BYTES;
        made = Some((values, html));
        if fits {
            break;
        }
        shortened = true;
    }
    let (values, html) = made.expect("there is at least one detail");
    Ok(Mail { text: render("email/alert.txt", values)?, subject, html })
}

/// `[owner/repo] KeyError in total (shop/cart.py:42)`.
fn subject(alert: &Alert) -> String {
    let place = &alert.place;
    let exception = if alert.exception.trim().is_empty() { "Error" } else { &alert.exception };
    let repository = format!("[{}] ", alert.repository.full_name);
    let room = MOST_SUBJECT_CHARS.saturating_sub(repository.chars().count());
    repository + &headline(exception, function(place).as_deref(), &file_line(&place.path, place.line), room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn what_is_not_known_leaves_no_gap() {
        let mut alert = sample::alert();
        alert.header = Some("Known, but growing".to_owned());
        alert.place.function = "?".to_owned();
        alert.place.line = 0;
        alert.place.code.clear();
        alert.snippet.lines.clear();
        alert.blame = None;
        (alert.pull, alert.first_release) = (None, None);
        alert.message = None;
        alert.traceback.clear();
        alert.request.clear();
        alert.additional.clear();
        alert.verdict.clear();
        alert.links = domain::alert::Links::default();
        let mail = mail(&alert).expect("renders");
        assert_eq!(mail.subject, "[acme/shop] KeyError (shop/cart.py)");
        insta::assert_snapshot!(mail.text, @r#"
        Known, but growing

        You wrote this line.

        KeyError
        in shop/cart.py (acme/shop)

        How often
          Occurrences: 1,204
          First seen: 2026-11-22 11:31 UTC
          Last seen: 2026-11-22 15:23 UTC
          Environments: production
          Releases: shop@2.4.1
          Servers: web-3, web-1

        -- 
        Flawless sends one mail for each failing line, however often it fails.
        "#);
        assert!(!mail.html.contains("Request") && !mail.html.contains("<h2 style=\"\">"));
    }

    #[test]
    fn both_parts_say_the_same() {
        let mut alert = sample::alert();
        alert.header = Some("Known, but growing".to_owned());
        let mail = mail(&alert).expect("renders");
        let entities = [("&#39;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        let html = entities.iter().fold(mail.html.clone(), |html, (entity, sign)| html.replace(entity, sign));
        for said in [
            "Known, but growing",
            "You wrote this line.",
            "'sku-1042'",
            "price = self.prices[sku]",
            "<Customer 8812>",
            "full_dispatch_request",
            "Decimal('18.40')",
            "[scrubbed]",
            "premium",
            "1,204",
            "2026-11-22 11:31 UTC",
            "shop@2.4.1",
            "web-3, web-1",
            "production",
            "were passed over",
            "/view_traceback?line=12&sig=c2ln",
            "/commit/9f2c1e7",
            "/get_weekly_error_report?repo=acme%2Fshop",
            "/issues/318",
            "/add_known_error?line=12&sig=c2ln",
            "#L42",
        ] {
            assert!(mail.text.contains(said), "the text does not say {said}");
            assert!(html.contains(said), "the HTML does not say {said}");
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let html = mail(&sample::alert()).expect("renders").html;
        for remote in ["<img", "<link", "<script", "url(", "@import", "<table"] {
            assert!(!html.contains(remote), "{remote}");
        }
    }

    #[test]
    fn hostile_text_stays_text_and_the_mail_stays_small() {
        let alert = sample::tests::hostile_alert();
        let mail = mail(&alert).expect("renders");
        assert!(mail.html.len() <= MOST_HTML_BYTES, "{} bytes", mail.html.len());
        assert!(mail.text.contains("This mail was shortened to fit."));
        assert!(
            mail.subject.chars().count() <= MOST_SUBJECT_CHARS
                && !mail.subject.contains(['\n', '\r', '\0', '\u{202e}'])
        );
        for bad in ["<b>#1", "\u{202e}", "\0", "href=\"javascript", "-->"] {
            assert!(!mail.html.contains(bad), "{bad:?}");
        }
        assert!(!mail.text.contains(['\u{202e}', '\0', '\r']));
    }
}
