//! The steps from a report to an alert, each from row to row.
