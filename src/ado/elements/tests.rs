use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Elements, beginnings of elements over the limit, and the rest.
type Parts = (Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<u8>);

/// What is found in a text that comes in pieces.
fn read(text: &[u8], pieces: &[usize], limit: usize) -> Result<Parts, Broken> {
    let mut elements = Elements::new("values", limit);
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    let mut rest = text;
    let mut sizes = pieces.iter().copied().cycle();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len());
        let (mut chunk, behind) = rest.split_at(size);
        while let Some(found) = elements.next(&mut chunk)? {
            match found {
                Found::Element(text) => whole.push(text.to_vec()),
                Found::TooLarge(text) => cut.push(text.to_vec()),
            }
        }
        rest = behind;
    }
    Ok((whole, cut, elements.finish()?))
}

fn values(texts: &[Vec<u8>]) -> Vec<Value> {
    texts.iter().map(|text| serde_json::from_slice(text).expect("an element is JSON")).collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any_text(), inner), 0..5)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// Texts with much of what could be taken for structure.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![".{0,8}", "[\\[\\]{}\",:\\\\ values\u{e9}\n]{0,12}", Just("values".to_owned())]
}

fn any_page() -> impl Strategy<Value = (Vec<Value>, Value, bool)> {
    let others =
        prop::collection::vec((any_text().prop_filter("another name", |name| name != "values"), any_json()), 0..4);
    let others = others.prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into());
    (prop::collection::vec(any_json(), 0..8), others, any::<bool>())
}

fn written(elements: &[Value], others: &Value, is_pretty: bool) -> String {
    let mut page = others.clone();
    page["values"] = json!(elements);
    if is_pretty { serde_json::to_string_pretty(&page) } else { serde_json::to_string(&page) }.expect("JSON")
}

proptest! {
    #[test]
    fn a_page_in_any_pieces_has_the_elements_that_serde_sees(
        (elements, others, is_pretty) in any_page(),
        pieces in prop::collection::vec(1_usize..40, 1..10),
    ) {
        let text = written(&elements, &others, is_pretty);
        let (whole, cut, frame) = read(text.as_bytes(), &pieces, usize::MAX).expect("a page");
        prop_assert_eq!(values(&whole), elements);
        prop_assert!(cut.is_empty());
        let mut expected = others;
        expected["values"] = json!([]);
        prop_assert_eq!(serde_json::from_slice::<Value>(&frame).expect("JSON"), expected);
    }

    #[test]
    fn a_page_that_is_cut_anywhere_is_never_taken_for_a_whole_one(
        (elements, others, is_pretty) in any_page(),
        pieces in prop::collection::vec(1_usize..40, 1..10),
        at in any::<prop::sample::Index>(),
    ) {
        let text = written(&elements, &others, is_pretty);
        let cut = &text.as_bytes()[..at.index(text.len())];
        if let Ok((_, _, frame)) = read(cut, &pieces, usize::MAX) {
            prop_assert!(serde_json::from_slice::<Value>(&frame).is_err());
        }
    }

    #[test]
    fn bytes_of_any_kind_end_in_an_error_or_in_elements(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"[]{}\",:\\1n ".to_vec())], 0..200),
        pieces in prop::collection::vec(1_usize..20, 1..5),
    ) {
        let text = [b"{\"values\":[".as_slice(), &bytes].concat();
        let in_pieces = read(&text, &pieces, 50);
        prop_assert_eq!(in_pieces, read(&text, &[usize::MAX], 50), "the pieces do not matter");
    }
}

#[test]
fn an_element_over_the_limit_is_skipped_with_its_beginning_and_its_neighbours_stay() {
    let large = json!({"id": 7, "text": "\"]}\\".repeat(5000)}).to_string();
    let text = format!("{{\"values\":[1,{large},\"ab\",{large}],\"isLastBatch\":true}}");
    for pieces in [vec![usize::MAX], vec![1], vec![1000], vec![17, 4096]] {
        let (whole, cut, frame) = read(text.as_bytes(), &pieces, 4096).expect("a page");
        assert_eq!(values(&whole), [json!(1), json!("ab")]);
        assert_eq!(cut.len(), 2);
        assert!(cut.iter().all(|beginning| *beginning == large.as_bytes()[..MAX_BEGINNING]));
        assert_eq!(frame, b"{\"values\":[],\"isLastBatch\":true}");
    }
    let exact = format!("{{\"values\":[\"{}\"]}}", "x".repeat(98));
    assert_eq!(read(exact.as_bytes(), &[7], 100).expect("a page").0.len(), 1, "the limit itself is permitted");
    assert_eq!(read(exact.as_bytes(), &[7], 99).expect("a page").1.len(), 1);
}

#[test]
fn memory_is_given_back_after_a_large_element() {
    let text = format!("{{\"values\":[\"{}\",1", "x".repeat(1 << 20));
    let mut elements = Elements::new("values", 4 << 20);
    for mut chunk in text.as_bytes().chunks(10_000) {
        while elements.next(&mut chunk).expect("good so far").is_some() {}
    }
    assert!(elements.buffer.capacity() <= KEPT_BUFFER, "{}", elements.buffer.capacity());
}

#[test]
fn only_the_members_own_array_is_taken_apart() {
    for (text, expected) in [
        (r#"{"value":[1],"values":[2,3]}"#, 2),
        (r#"{"x":"values","y":[1,2],"values":[3]}"#, 1),
        (r#"{"x":{"values":[1,2]},"values":[3]}"#, 1),
        (r#"{"x":["values",[1]],"values":[[3],[4]]}"#, 2),
        ("\u{feff} { \"values\" : [ ] } ", 0),
        (r#"{"values":null}"#, 0),
        (r#"{"values":{"a":[1]}}"#, 0),
    ] {
        let (whole, _, frame) = read(text.as_bytes(), &[3], 100).expect(text);
        assert_eq!(whole.len(), expected, "{text}: {}", String::from_utf8_lossy(&frame));
    }
}

#[test]
fn what_is_no_page_is_refused() {
    let deep = format!("{{\"values\":[{}", "[".repeat(MAX_DEPTH + 1));
    let deep_frame = "[".repeat(MAX_DEPTH + 1);
    for text in [
        "{\"values\":[1,]}",
        "{\"values\":[,1]}",
        "{\"values\":[1 2]}",
        "{\"values\":[}",
        "{\"values\":[:]}",
        "{\"values\":[\"a\":1]}",
        "{\"values\":[1",
        "{\"values\":[\"a\\",
        "]",
        &deep,
        &deep_frame,
    ] {
        assert_eq!(read(text.as_bytes(), &[5], 100), Err(Broken::NotJson), "{text}");
    }
    let long = format!("{{\"values\":[],\"x\":\"{}\"}}", "x".repeat(MAX_FRAME));
    assert_eq!(read(long.as_bytes(), &[1000], 100), Err(Broken::FrameTooLarge));
}
