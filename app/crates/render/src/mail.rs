//! The e-mail of an alert, as plain text and as HTML.

use super::alert::AlertView;
use super::detail::DETAILS;
use super::engine::{RenderError, render};
use super::format::{file_line, function, headline};
use domain::alert::Alert;
use minijinja::context;
use minijinja::value::Serde;

/// Gmail cuts HTML off at 102 KB and hides the links at the end; the encoding for transport and its own additions come on top.
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
        let view = AlertView::new(alert, detail, shortened);
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
    fn the_mail_says_what_happened_and_why_this_reader_is_told() {
        let mail = mail(&sample::alert()).expect("renders");
        assert_eq!(mail.subject, "[acme/shop] KeyError in total (shop/cart.py:42)");
        insta::assert_snapshot!(mail.text, @r#"
        You wrote this line.

        KeyError: 'sku-1042'
        in total, shop/cart.py:42 (acme/shop)

          39 | def total(self, basket):
          40 |     amount = Decimal(0)
          41 |     for sku, count in basket.items():
        > 42 |         price = self.prices[sku]
          43 |         amount += price * count
          44 |     return amount.quantize(CENT)

        https://github.com/acme/shop/blob/5d41402abc4b2a76b9719d911017c592aa0f3c11/shop/cart.py#L42

        Last changed by Ada Lovelace on 2026-11-02 in 9f2c1e7: Look prices up once instead of per item
        It came with pull request #12, Faster carts (merged on 2026-11-03)
        It first failed in release shop@2.4.1

        Traceback (most recent call last):
          File "site-packages/flask/app.py", line 1498, in __call__
            return self.wsgi_app(environ, start_response)
          File "site-packages/flask/app.py", line 917, in full_dispatch_request
            rv = self.dispatch_request()
        * File "shop/views.py", line 17, in checkout
        *   amount = cart.total(basket)
        > File "shop/cart.py", line 42, in total
        >   price = self.prices[sku]
          File "site-packages/cachetools/__init__.py", line 68, in __getitem__
            return self.__missing__(key)
          File "site-packages/cachetools/__init__.py", line 95, in __missing__
            raise KeyError(key)
        KeyError: 'sku-1042'

        (> the line to blame, * other code of acme/shop)

        Local variables
          shop/cart.py:42, in total
            amount = Decimal('18.40')
            basket = {'sku-7': 2, 'sku-1042': 1}
            sku = 'sku-1042'
          shop/views.py:17, in checkout
            customer = <Customer 8812>
            step = 2

        Request
          URL: https://shop.example.com/checkout?step=2
          Method: POST
          User-Agent: Mozilla/5.0 (X11; Linux x86_64)
          Cookie: [scrubbed]

        Additional information
          user.id: 8812
          tags.plan: premium

        How often
          Occurrences: 1,204
          First seen: 2026-11-22 11:31 UTC
          Last seen: 2026-11-22 15:23 UTC
          Environments: production
          Releases: shop@2.4.1
          Servers: web-3, web-1

        Why you
          - The exception was raised in shop/cart.py, line 42: the innermost code of this repository.
          - 2 inner calls are in libraries and were passed over.
          - The release shop@2.4.1 is commit 5d41402.
          - git blame names commit 9f2c1e7 by Ada Lovelace.

        Latest occurrence:     https://flawless.example.com/view_traceback?line=12&sig=c2ln
        The commit:            https://github.com/acme/shop/commit/9f2c1e7b3a8d4c5f6e7081920a1b2c3d4e5f6071
        The pull request:      https://github.com/acme/shop/pull/12
        All errors this week:  https://flawless.example.com/get_weekly_error_report?repo=acme%2Fshop
        The issue:             https://github.com/acme/shop/issues/318
        Whitelist this line:   https://flawless.example.com/add_known_error?line=12&sig=c2ln

        -- 
        Flawless sends one mail for each failing line, however often it fails.
        "#);
    }

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
