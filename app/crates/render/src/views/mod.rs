//! What each page shows: plain values, prepared by the server.

mod connect;
mod doctor;
mod handovers;
mod install;
mod installed;
mod known_error;
mod line;
mod not_me;
mod notice;
mod repository;
mod sessions;
mod setup;
mod shadow;
mod traceback;
mod verdicts;
mod weekly;
mod whitelist;
mod why_no_line;

pub use super::alert::{AlertView, CallView, CodeLine, ExceptionView, Step};
pub use super::facts::{Group, LinkView, Pair, Part, PartKind, Section, SectionKind, Sentence};
pub use connect::{Again, Arrival, Connect, Dsn, KeyView, LimitView, RefusalView, TestReportView};
pub use doctor::{Doctor, FindingView};
pub use handovers::{HandoverView, Handovers};
pub use install::Install;
pub use installed::{Installed, InstalledRepository};
pub use known_error::{Field, FormPurpose, KnownErrorFields, KnownErrorForm, KnownErrorSaved, Match, TermField};
pub use line::{IssueLink, LineStatus};
pub use not_me::NotMe;
pub use notice::{Check, Health, Login, Message};
pub use repository::{
    KeyDsn, MirrorView, NothingFiled, OpenLine, PageLink, Repositories, RepositoryPage, RepositoryRow, SettingsError,
    Untold, UntoldLine, WaitingIssues,
};
pub use sessions::{SessionView, Sessions};
pub use setup::{Permission, Setup, SetupState};
pub use shadow::{Shadow, ShadowItem, ShadowPreview};
pub use traceback::Traceback;
pub use verdicts::{Verdicts, VerdictsRow};
pub use weekly::{Link, Toggle, Weekly, WeeklyAuthor, WeeklyLine};
pub use whitelist::{Covers, EndedEntry, Silenced, Whitelist, WhitelistEntry};
pub use why_no_line::{Piece, ReasonView, WhyNoLine};

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{Layout, RenderError, View, page};
    use serde_json::Value as Json;

    /// A view by what all have in common.
    pub(crate) struct Registered {
        /// Its template.
        pub(crate) template: &'static str,
        /// The page of its sample.
        pub(crate) page: fn(&Layout) -> Result<String, RenderError>,
        /// Its sample, as data.
        pub(crate) sample: fn() -> Json,
    }

    const fn registered<V: View>() -> Registered {
        Registered {
            template: V::TEMPLATE,
            page: |layout| page(layout, &V::sample()),
            sample: || serde_json::to_value(V::sample()).expect("views are data"),
        }
    }

    /// Every view, once: what holds for all pages is tested for each of these, and no template of a
    /// page is without one.
    pub(crate) const VIEWS: &[Registered] = &[
        registered::<Connect>(),
        registered::<Doctor>(),
        registered::<Handovers>(),
        registered::<Health>(),
        registered::<Install>(),
        registered::<Installed>(),
        registered::<KnownErrorForm>(),
        registered::<KnownErrorSaved>(),
        registered::<Login>(),
        registered::<Message>(),
        registered::<NotMe>(),
        registered::<Repositories>(),
        registered::<RepositoryPage>(),
        registered::<Sessions>(),
        registered::<Setup>(),
        registered::<Shadow>(),
        registered::<ShadowPreview>(),
        registered::<Traceback>(),
        registered::<Verdicts>(),
        registered::<Weekly>(),
        registered::<Whitelist>(),
        registered::<WhyNoLine>(),
    ];
}
