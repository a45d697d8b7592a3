//! Why no line was found, for whoever follows the link of a mail, an issue or a page.

use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::visitor::Visitor;
use render::views::WhyNoLine;

/// `GET /why_no_line`: the same for everybody.
pub(super) async fn why_no_line(Visitor(session): Visitor) -> Result<Page<WhyNoLine>, PageError> {
    Ok(Page(session, WhyNoLine::new()))
}
