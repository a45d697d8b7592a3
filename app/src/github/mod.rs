//! GitHub by octocrab: what the App asks, does and hears there.
