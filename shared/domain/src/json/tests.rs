use super::*;

#[test]
fn names_a_duplicate_by_its_pointer() {
    let fault = Json::parse(r#"{"a":[{"b/c":1,"b/c":2}]}"#).unwrap_err();
    assert_eq!(fault, Fault::new("/a/0/b~1c", "is named twice"));
}

#[test]
fn refuses_what_is_not_json_and_lone_surrogates() {
    for bad in ["", "{", "[1,]", "nul", "01", "{} {}", r#""\ud800""#, "\"\n\""] {
        assert!(Json::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn refuses_deep_nesting() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(&nested(DEPTH_MAX)).is_ok());
    assert!(Json::parse(&nested(DEPTH_MAX + 2)).is_err());
    assert!(Json::parse(&nested(100_000)).is_err());
    let fault = Json::parse(&format!("{{\"a\":[0,{}]}}", nested(DEPTH_MAX))).unwrap_err();
    assert_eq!(fault.pointer, format!("/a/1{}", "/0".repeat(DEPTH_MAX - 1)));
}

#[test]
fn compact_keeps_all_but_white_space() {
    let text = "{ \"a b\" : [ 1.0 , \"x \\\" \\\\\" ] ,\n\t\"é\": \"\\u00e9 \" }";
    assert_eq!(compact(text), "{\"a b\":[1.0,\"x \\\" \\\\\"],\"é\":\"\\u00e9 \"}");
}

/// A value of each kind, as it is read and told.
#[test]
fn each_kind_of_value_is_read_told_and_given_as_itself_alone() {
    for (text, kind) in [
        ("null", "null"),
        ("true", "a boolean"),
        ("false", "a boolean"),
        ("1.50", "a number"),
        ("\"1\"", "text"),
        ("[1]", "an array"),
        (r#"{"a":1}"#, "an object"),
    ] {
        let json = Json::parse(text).unwrap();
        assert_eq!(json.kind(), kind, "{text}");
        assert_eq!(json.to_value(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        let is_of = |other| kind == other;
        assert_eq!(json.as_bool(), is_of("a boolean").then_some(text == "true"), "{text}");
        assert_eq!(json.as_f64(), is_of("a number").then_some(1.5), "{text}");
        assert_eq!(json.as_decimal(), is_of("a number").then(|| Decimal::of("1.5")), "{text}");
        assert_eq!(json.as_str(), is_of("text").then_some("1"), "{text}");
        assert_eq!(
            json.as_array().map(<[Json<'_>]>::len),
            is_of("an array").then_some(1),
            "{text}"
        );
        assert_eq!(json.as_object().map(<[_]>::len), is_of("an object").then_some(1), "{text}");
    }
}

#[test]
fn a_number_that_no_double_holds_becomes_the_text_of_its_digits() {
    assert_eq!(Json::parse("1e999").unwrap().to_value(), Value::from("1e999"));
}

#[test]
fn a_value_may_stand_as_many_levels_below_the_whole_as_are_allowed() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Json::parse(&nested(DEPTH_MAX)).is_ok());
    let fault = Json::parse(&nested(DEPTH_MAX + 1)).unwrap_err();
    assert_eq!(fault.detail, format!("is nested deeper than {DEPTH_MAX} levels"));
}

#[test]
fn what_is_not_json_is_told_with_the_readers_own_reason() {
    let fault = Json::parse("[1,]").unwrap_err();
    assert!(fault.detail.starts_with("is not JSON: expected value"), "{}", fault.detail);
    // Members are read of what begins as an object; another value would be told to be none.
    let error = serde_json::Deserializer::from_str("1").deserialize_map(Members).unwrap_err();
    assert!(error.to_string().ends_with("expected an object at line 1 column 1"), "{error}");
}

#[test]
fn reads_what_serde_json_reads() {
    for text in [
        " [ 1 , -2.50e+1 , true,false ,null , \"\" ] ",
        "\t{ \"a\" : { } ,\n\"b\":[ [ ] , { \"c\\\"\" : \"\\\\\" } ] , \"é\\u00e9\" :\"\\ud83d\\ude00,]}\" }\r\n",
        "0",
        "\"a,b\"",
    ] {
        let read: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Json::parse(text).unwrap().to_value(), read, "{text}");
    }
    let Ok(Json::Array(items)) = Json::parse("[1.50 ,2]") else { panic!("no array") };
    assert_eq!(items, [Json::Number("1.50".into()), Json::Number("2".into())]);
}
