//! Reports whose frames say together where they were deployed.

use super::*;

const AGREES: (Drift, bool) = (Drift::None, true);
const PLAIN: (Drift, bool) = (Drift::Unchecked, false);
const DIFFERS: (Drift, bool) = (Drift::Differs, false);

fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn fit(reported: &str, path: &str, (drift, agrees): (Drift, bool)) -> Fit {
    let (root, matched) = Root::of(&parts(reported), path, false);
    let score = match drift {
        Drift::None => 200,
        Drift::Moved => 100,
        Drift::Unchecked => 1,
        Drift::Differs => 0,
    };
    Fit {
        path: path.to_owned(),
        root,
        matched,
        is_whole: matched == path.split('/').count(),
        is_certain: false,
        is_below_key: false,
        stand: Stand { line: 1, drift, score },
        agrees,
        around: (0, 0),
        function: FunctionFit::Unknown,
        is_folded: false,
    }
}

fn sighting(reported: &str, fits: &[(&str, (Drift, bool))]) -> Sighting {
    let fits = fits.iter().map(|(path, text)| fit(reported, path, text.clone())).collect();
    Sighting { fits, ..Sighting::default() }
}

/// The path of each frame, with those that fit as well.
fn chosen(sightings: &[Sighting], remembered: &[Root]) -> Vec<String> {
    let roots = Roots::count(sightings, remembered);
    let name = |sighting: &Sighting| match roots.choose(sighting) {
        None => "-".to_owned(),
        Some(chosen) => {
            let paths = [sighting.fits[chosen.fit].path.clone()].into_iter().chain(chosen.ties);
            paths.collect::<Vec<_>>().join(" = ")
        }
    };
    sightings.iter().map(name).collect()
}

#[test]
fn a_root_is_told_by_where_two_paths_part() {
    let of = |reported: &str, path: &str| {
        let (root, matched) = Root::of(&parts(reported), path, false);
        (root.prefix, root.folder, matched)
    };
    assert_eq!(of("/srv/app/shop/cart.py", "src/shop/cart.py"), ("srv/app".into(), "src".into(), 2));
    assert_eq!(of("/srv/app/main.py", "src/main.py"), ("srv/app".into(), "src".into(), 1));
    assert_eq!(of("/app/main.py", "main.py"), ("app".into(), String::new(), 1));
    assert_eq!(of("main.py", "main.py"), (String::new(), String::new(), 1));
    assert_eq!(Root::of(&parts("C:/App/Shop/Cart.cs"), "shop/cart.cs", true).1, 2);
    let root = Root { prefix: "srv/app".into(), folder: "src".into() };
    assert_eq!(root.path_of(&parts("/srv/app/tax/x.py")).as_deref(), Some("src/tax/x.py"));
    assert_eq!(root.path_of(&parts("/srv/apples/tax/x.py")), None);
    assert_eq!(root.path_of(&parts("/srv")), None);
}

#[test]
fn frames_are_located_together() {
    // Two services with the same file: what only one of them has tells.
    let both = sighting("/app/shop/db.py", &[("a/shop/db.py", AGREES), ("b/shop/db.py", AGREES)]);
    let only_b = sighting("/app/shop/tax.py", &[("b/shop/tax.py", AGREES)]);
    assert_eq!(chosen(&[both.clone(), only_b], &[]), ["b/shop/db.py", "b/shop/tax.py"]);
    // Also where no text was sent.
    let both_plain = sighting("/app/shop/db.rb", &[("a/shop/db.rb", PLAIN), ("b/shop/db.rb", PLAIN)]);
    let only_b = sighting("/app/shop/tax.rb", &[("b/shop/tax.rb", PLAIN)]);
    assert_eq!(chosen(&[both_plain, only_b], &[]), ["b/shop/db.rb", "b/shop/tax.rb"]);
    // Nothing tells: it is said so.
    assert_eq!(chosen(std::slice::from_ref(&both), &[]), ["a/shop/db.py = b/shop/db.py"]);
    // Earlier reports of that server do, unless they have shown both.
    let root = |folder: &str| Root { prefix: "app".into(), folder: folder.into() };
    assert_eq!(chosen(std::slice::from_ref(&both), &[root("b")]), ["b/shop/db.py"]);
    assert_eq!(chosen(&[both], &[root("a"), root("b")]), ["a/shop/db.py = b/shop/db.py"]);
}

#[test]
fn a_text_that_contradicts_is_another_file() {
    let main = sighting("/srv/shop/main.py", &[("main.py", AGREES)]);
    let layer = sighting("/opt/layer/money/rates.py", &[("old/money/rates.py", DIFFERS)]);
    assert_eq!(chosen(&[main.clone(), layer.clone()], &[]), ["main.py", "-"]);
    // It ends alike, and that is all.
    assert_eq!(chosen(&[layer], &[]), ["-"]);
    let whole_elsewhere = sighting("/opt/lib/shop/cart.py", &[("shop/cart.py", DIFFERS)]);
    assert_eq!(chosen(&[main, whole_elsewhere], &[]), ["main.py", "-"]);
}

#[test]
fn deployed_code_that_was_edited_is_still_ours() {
    let main = sighting("/srv/shop/main.py", &[("main.py", AGREES)]);
    let edited = sighting("/srv/shop/shop/cart.py", &[("shop/cart.py", DIFFERS)]);
    assert_eq!(chosen(&[main, edited.clone()], &[]), ["main.py", "shop/cart.py"]);
    // By itself, as its whole path is there.
    assert_eq!(chosen(&[edited], &[]), ["shop/cart.py"]);
    // By what stands around it; but not where that differs as well.
    let mut around = sighting("/srv/app/shop/cart.py", &[("src/shop/cart.py", DIFFERS)]);
    around.fits[0].around = (3, 4);
    assert_eq!(chosen(std::slice::from_ref(&around), &[]), ["src/shop/cart.py"]);
    around.fits[0].around = (1, 4);
    assert_eq!(chosen(std::slice::from_ref(&around), &[]), ["-"]);
    // Two files that are where one root says, whatever is in them.
    let other = sighting("/srv/app/shop/tax.py", &[("src/shop/tax.py", DIFFERS)]);
    around.fits[0].around = (0, 0);
    assert_eq!(chosen(&[around, other], &[]), ["src/shop/cart.py", "src/shop/tax.py"]);
}

#[test]
fn the_deployment_decides_against_a_text_elsewhere() {
    let main = sighting("/app/shop/main.py", &[("a/shop/main.py", AGREES)]);
    let other = sighting("/app/shop/tax.py", &[("a/shop/tax.py", AGREES)]);
    let edited = sighting("/app/shop/db.py", &[("a/shop/db.py", DIFFERS), ("b/shop/db.py", AGREES)]);
    assert_eq!(chosen(&[main, other, edited.clone()], &[])[2], "a/shop/db.py");
    assert_eq!(chosen(&[edited], &[]), ["b/shop/db.py"]);
}

#[test]
fn foreign_code_is_ours_only_by_its_text() {
    let mut json = sighting("json/decoder.py", &[("json/decoder.py", PLAIN)]);
    json.is_foreign = true;
    assert_eq!(chosen(&[json], &[]), ["-"]);
    let mut installed = sighting("shop/cart.py", &[("src/shop/cart.py", AGREES)]);
    installed.is_foreign = true;
    assert_eq!(chosen(&[installed], &[]), ["src/shop/cart.py"]);
}

#[test]
fn the_folder_of_a_key_is_looked_in_first() {
    let mut both = sighting("/app/main.py", &[("a/main.py", PLAIN), ("b/main.py", PLAIN)]);
    assert_eq!(chosen(std::slice::from_ref(&both), &[]), ["-"], "the path says nothing");
    both.fits[1].is_below_key = true;
    assert_eq!(chosen(&[both], &[]), ["b/main.py"]);
}

#[test]
fn the_folder_of_a_key_does_not_go_before_a_whole_path() {
    let mut both = sighting("/repo/shop/app.py", &[("shop/app.py", PLAIN), ("admin/app.py", PLAIN)]);
    both.fits[1].is_below_key = true;
    assert_eq!(chosen(&[both], &[]), ["shop/app.py"]);
    let mut both = sighting("/app/app.py", &[("app.py", PLAIN), ("admin/app.py", PLAIN)]);
    both.fits[1].is_below_key = true;
    assert_eq!(chosen(&[both], &[]), ["admin/app.py"], "the root's is no longer");
}

#[test]
fn the_function_of_a_frame_tells_two_services_apart() {
    let mut main = sighting("/app/main.py", &[("a/app/main.py", PLAIN), ("b/app/main.py", PLAIN)]);
    let util = sighting("/app/util.py", &[("a/app/util.py", PLAIN), ("b/app/util.py", PLAIN)]);
    assert_eq!(chosen(std::slice::from_ref(&main), &[]), ["a/app/main.py = b/app/main.py"]);
    main.fits[0].function = FunctionFit::Contradicts;
    main.fits[1].function = FunctionFit::Agrees;
    assert_eq!(chosen(&[main.clone(), util.clone()], &[]), ["b/app/main.py", "b/app/util.py"]);
    // The only file there is stays the one, whatever its functions are called now.
    main.fits.truncate(1);
    assert_eq!(chosen(&[main], &[]), ["a/app/main.py"]);
}

#[test]
fn what_a_client_disowns_is_not_ours_by_its_path_alone() {
    let mut strings = sighting("/opt/lib/util/strings.rb", &[("lib/util/strings.rb", PLAIN)]);
    assert_eq!(chosen(std::slice::from_ref(&strings), &[]), ["lib/util/strings.rb"]);
    strings.is_disowned = true;
    assert_eq!(chosen(std::slice::from_ref(&strings), &[]), ["-"]);
    let own = sighting("/opt/lib/till.rb", &[("lib/till.rb", PLAIN)]);
    assert_eq!(chosen(&[strings, own], &[]), ["lib/util/strings.rb", "lib/till.rb"], "deployed with ours");
}

#[test]
fn what_was_deployed_before_gives_way_to_a_text() {
    let main = sighting("/app/main.py", &[("a/app/main.py", DIFFERS), ("b/app/main.py", AGREES)]);
    let root = Root { prefix: String::new(), folder: "a".into() };
    assert_eq!(chosen(&[main], &[root]), ["b/app/main.py"]);
}

#[test]
fn roots_are_tried_by_what_they_explain() {
    let main = sighting("/app/shop/main.py", &[("a/shop/main.py", AGREES)]);
    let plain = sighting("/lib/x/y.py", &[("x/y.py", PLAIN)]);
    let remembered = Root { prefix: "var".into(), folder: "c".into() };
    let roots = Roots::count([&plain, &main], std::slice::from_ref(&remembered));
    let folders: Vec<String> = roots.supported().into_iter().map(|root| root.folder).collect();
    assert_eq!(folders, ["c", "a", ""]);
    let root = Root { prefix: "app".into(), folder: "a".into() };
    assert!(roots.is_supported(&root, "a/shop/tax.py"));
    assert!(!roots.is_supported(&root, "a/shop/main.py"), "it does not speak for itself");
    assert!(roots.is_supported(&remembered, "c/x.py"));
}
