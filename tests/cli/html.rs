use crate::harness::Place;

/// The data that a page carries.
fn data(place: &Place, page: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(place.path(page)).unwrap();
    let (_, data) = text.split_once("<script id=\"data\" type=\"application/json\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

const RULES: &str = "testdata/conv3 --map testdata/conv3/rules-keras2.yaml";

#[test]
fn a_page_says_what_the_plan_says() {
    let place = Place::new();
    for rules in [
        RULES.to_owned(),
        "testdata/optimizers/adam --map testdata/optimizers/adam/rules.yaml --like \
         testdata/templates/keras3_adam"
            .to_owned(),
    ] {
        let said = place.run(&format!("plan {rules} --json --html page.html"));
        assert_eq!((said.code, said.err.as_str()), (0, "note: wrote page.html\n"), "{said}");
        let plan: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let data = data(&place, "page.html");
        let targets = |list: &serde_json::Value, key: &str| -> Vec<String> {
            let list = list.as_array().unwrap().iter();
            list.filter_map(|one| Some(one[key].as_str()?.to_owned())).collect()
        };
        assert_eq!(targets(&data["rows"], "t"), targets(&plan["values"], "target"));
        let text = std::fs::read_to_string(place.path("page.html")).unwrap();
        for word in ["http:", "https:", "src="] {
            assert!(!text.contains(word), "{word}");
        }
        // Twice the same, byte for byte.
        place.ok(&format!("plan {rules} --html again.html"));
        assert_eq!(text, std::fs::read_to_string(place.path("again.html")).unwrap());
    }
}

#[test]
fn problems_are_on_the_page_too() {
    let place = Place::new();
    let said =
        place.run("plan testdata/conv3 --map testdata/conv3/rules-typo.yaml --html page.html");
    assert_eq!(said.code, 1, "{said}");
    let data = data(&place, "page.html");
    assert_eq!(data["problems"].as_array().unwrap().len(), 2);
    assert!(data["rows"].as_array().unwrap().len() >= 6);
}

#[test]
fn after_a_conversion_and_its_proof() {
    let place = Place::new();
    place.ok(&format!("convert {RULES} -o new/ckpt --html done.html"));
    let files = data(&place, "done.html")["files"].as_array().unwrap().len();
    assert_eq!(files, 2);
    let swapped = "--against testdata/conv3 --map testdata/conv3/rules-swapped.yaml";
    assert_eq!(place.run(&format!("verify new/ckpt {swapped} --html proof.html")).code, 1);
    let proof = data(&place, "proof.html");
    let of = |word: &str| {
        proof["rows"].as_array().unwrap().iter().filter(|row| row["v"] == word).count()
    };
    assert_eq!((of("different"), of("equal")), (4, 3));
    let rules = "--map testdata/conv3/rules-keras2.yaml";
    place.ok(&format!("diff testdata/conv3 new/ckpt {rules} --html diff.html"));
    assert_eq!(data(&place, "diff.html")["rows"][0]["v"], "equal");
}

#[test]
fn nothing_but_a_page_is_replaced() {
    let place = Place::new();
    place.write("notes.txt", "mine");
    let said = place.run(&format!("convert {RULES} -o new/ckpt --html notes.txt"));
    insta::assert_snapshot!(said, @r"
    exit status 2
    --- answer
    --- messages
    error: `notes.txt` is there, and is no page of ckptmap's; give `--html` another name
    ");
    assert_eq!(std::fs::read(place.path("notes.txt")).unwrap(), b"mine");
    // Found out before anything is written.
    assert!(place.names("new").is_empty());
    assert_eq!(place.run(&format!("plan {RULES} --html testdata")).code, 2);
    place.ok(&format!("plan {RULES} --html page.html"));
    place.ok(&format!("plan {RULES} --html page.html"));
    assert_eq!(place.run("diff testdata/conv3 testdata/conv3 --html page.html").code, 2);
}
