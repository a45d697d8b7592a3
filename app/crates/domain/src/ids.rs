//! The numbers by which rows are known, one type for each, so that a line's can't be passed for a
//! repository's.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A watched repository; also the PROJECT number of its DSN.
    RepositoryId
);
id!(
    /// An ingest key, by a number of its own: the key itself is a secret.
    IngestKeyId
);
id!(
    /// A blamed line: what one alert is about.
    LineId
);
id!(
    /// A stored report that waits to be attributed.
    ReportId
);
id!(
    /// A fingerprint: what equal reports share.
    FingerprintId
);
id!(
    /// One e-mail, issue or comment to be sent once.
    DeliveryId
);
id!(
    /// A rule that a label or a person made.
    RuleId
);
id!(
    /// Somebody's lines of a file, handed on to somebody.
    HandoverId
);
id!(
    /// Many new lines of one repository within a short time.
    StormId
);
id!(
    /// Something that GitHub may have made twice.
    DoubtId
);
id!(
    /// A unit of background work.
    JobId
);
id!(
    /// A webhook delivery that GitHub sent and we stored.
    HookId
);
