//! From bytes on the wire to reports.
