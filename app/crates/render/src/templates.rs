//! The files of `web/`, put into the program by `build.rs`: each template by its path.

/// Loads every template. How its name ends decides how values in it are escaped.
pub(super) fn load(environment: &mut minijinja::Environment<'static>) {
    minijinja_embed::load_templates!(*environment);
}
