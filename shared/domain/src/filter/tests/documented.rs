//! The examples of the EventBridge user guide and of event-ruler's README, each with its section.

use super::matches;

/// Section, pattern, event, whether it matches.
type Row = (&'static str, &'static str, &'static str, bool);

const EC2: &str = r#"{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",
    "account":"111122223333","time":"2017-12-22T18:43:48Z","region":"us-west-1",
    "resources":["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
    "detail":{"instance-id":"i-1234567890abcdef0","state":"terminated"}}"#;

const AUTO_SCALING: &str = r#"{"version":"0","detail-type":"EC2 Instance Launch Successful",
    "source":"aws.autoscaling","account":"123456789012","resources":[],
    "detail":{"eventVersion":"","responseElements":null}}"#;

const MACIE: &str = r#"{"detail-type":"Macie Alert","source":"aws.macie",
    "detail":{"risk-score":80,"tags":["Custom_Alert","Insider"],
    "trigger":{"alert-type":"basic","risk":8}}}"#;

const RULER: &str = r#"{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",
    "time":"2017-10-02T16:24:49Z","region":"us-east-1",
    "resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000"],
    "detail":{"c-count":5,"d-count":3,"x-limit":301.8,"source-ip":"10.0.0.33",
    "instance-id":"i-000000aaaaaa00000","state":"running"}}"#;

const EMPLOYEES: &str = r#"{"employees":[{"firstName":"John","lastName":"Doe"},
    {"firstName":"Anna","lastName":"Smith"},{"firstName":"Peter","lastName":"Jones"}]}"#;

const NESTED_EMPLOYEES: &str = r#"{"employees":[[{"firstName":"John","lastName":"Doe"},
    {"firstName":"Anna","lastName":"Smith"}],[{"firstName":"Peter","lastName":"Jones"}]]}"#;

fn check(table: &[Row]) {
    for (section, pattern, event, wanted) in table {
        assert_eq!(matches(pattern, event), *wanted, "{section}: {pattern} on {event}");
    }
}

#[test]
fn creating_event_patterns() {
    let terminated = r#"{"source":["aws.ec2"],
        "detail-type":["EC2 Instance State-change Notification"],"detail":{"state":["terminated"]}}"#;
    check(&[
        ("Event patterns", terminated, EC2, true),
        ("Event patterns", terminated, RULER, false),
        ("Match values", r#"{"source":["aws.ec2","aws.fargate"]}"#, EC2, true),
        ("Match values", r#"{"source":["aws.ec2","aws.fargate"]}"#, MACIE, false),
        (
            "Field matching",
            r#"{"source":["aws.autoscaling"],"detail-type":["EC2 Instance Launch Successful"],
                "detail":{"responseElements":[null]}}"#,
            AUTO_SCALING,
            true,
        ),
        (
            "Value matching",
            r#"{"source":["aws.macie"],"detail-type":["Macie Alert"],
                "detail":{"risk-score":[80],"trigger":{"risk":[8]}}}"#,
            MACIE,
            true,
        ),
        ("Value matching", r#"{"detail":{"risk-score":[81]}}"#, MACIE, false),
        ("Null values", r#"{"detail":{"eventVersion":[""]}}"#, AUTO_SCALING, true),
        ("Null values", r#"{"detail":{"responseElements":[null]}}"#, AUTO_SCALING, true),
        ("Null values", r#"{"detail":{"responseElements":[""]}}"#, AUTO_SCALING, false),
        ("Null values", r#"{"detail":{"eventVersion":[null]}}"#, AUTO_SCALING, false),
        (
            "Arrays",
            r#"{"resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f",
                "arn:aws:ec2:us-east-1:111122223333:instance/i-b188560f"]}"#,
            r#"{"resources":["arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:eb56d16b",
                "arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f"]}"#,
            true,
        ),
        ("Arrays", r#"{"resources":["arn:aws:ec2:other"]}"#, EC2, false),
        ("Arrays", r#"{"detail":{"tags":["Insider"]}}"#, MACIE, true),
    ]);
}

#[test]
fn comparison_operators_summary() {
    check(&[
        (
            "And",
            r#"{"Location":["New York"],"Day":["Monday"]}"#,
            r#"{"Location":"New York","Day":"Monday"}"#,
            true,
        ),
        (
            "And",
            r#"{"Location":["New York"],"Day":["Monday"]}"#,
            r#"{"Location":"New York","Day":"Tuesday"}"#,
            false,
        ),
        ("Empty", r#"{"LastName":[""]}"#, r#"{"LastName":""}"#, true),
        ("Empty", r#"{"LastName":[""]}"#, r#"{"LastName":null}"#, false),
        ("Equals", r#"{"Name":["Alice"]}"#, r#"{"Name":"Alice"}"#, true),
        (
            "Equals (ignore case)",
            r#"{"Name":[{"equals-ignore-case":"alice"}]}"#,
            r#"{"Name":"ALICE"}"#,
            true,
        ),
        (
            "Equals (ignore case)",
            r#"{"Name":[{"equals-ignore-case":"alice"}]}"#,
            r#"{"Name":"Alicia"}"#,
            false,
        ),
        ("Exists", r#"{"ProductName":[{"exists":true}]}"#, r#"{"ProductName":"x"}"#, true),
        ("Does not exist", r#"{"ProductName":[{"exists":false}]}"#, r#"{"Price":1}"#, true),
        ("Not", r#"{"Weather":[{"anything-but":["Raining"]}]}"#, r#"{"Weather":"Sunny"}"#, true),
        ("Not", r#"{"Weather":[{"anything-but":["Raining"]}]}"#, r#"{"Weather":"Raining"}"#, false),
        ("Null", r#"{"UserID":[null]}"#, r#"{"UserID":null}"#, true),
        ("Numeric (equals)", r#"{"Price":[{"numeric":["=",100]}]}"#, r#"{"Price":100.0}"#, true),
        ("Numeric (range)", r#"{"Price":[{"numeric":[">",10,"<=",20]}]}"#, r#"{"Price":20}"#, true),
        (
            "Numeric (range)",
            r#"{"Price":[{"numeric":[">",10,"<=",20]}]}"#,
            r#"{"Price":10}"#,
            false,
        ),
        ("Or", r#"{"PaymentType":["Credit","Debit"]}"#, r#"{"PaymentType":"Debit"}"#, true),
        (
            "Or (multiple fields)",
            r#"{"$or":[{"Location":["New York"]},{"Day":["Monday"]}]}"#,
            r#"{"Location":"Paris","Day":"Monday"}"#,
            true,
        ),
        (
            "Or (multiple fields)",
            r#"{"$or":[{"Location":["New York"]},{"Day":["Monday"]}]}"#,
            r#"{"Location":"Paris","Day":"Friday"}"#,
            false,
        ),
        (
            "Wildcard",
            r#"{"FileName":[{"wildcard":"dir/*.png"}]}"#,
            r#"{"FileName":"dir/a/b.png"}"#,
            true,
        ),
        (
            "Wildcard",
            r#"{"FileName":[{"wildcard":"dir/*.png"}]}"#,
            r#"{"FileName":"dir/a.jpg"}"#,
            false,
        ),
    ]);
}

#[test]
fn comparison_operators_on_text() {
    let time = r#"{"time":[{"prefix":"2017-10-02"}]}"#;
    check(&[
        ("Prefix matching", time, r#"{"time":"2017-10-02T18:43:48Z"}"#, true),
        ("Prefix matching", time, r#"{"time":"2017-10-03T18:43:48Z"}"#, false),
        ("Begins with", r#"{"Region":[{"prefix":"us-"}]}"#, r#"{"Region":"us-east-1"}"#, true),
        (
            "Prefix matching while ignoring case",
            r#"{"service":[{"prefix":{"equals-ignore-case":"EventB"}}]}"#,
            r#"{"service":"EVENTBRIDGE"}"#,
            true,
        ),
        (
            "Prefix matching while ignoring case",
            r#"{"service":[{"prefix":{"equals-ignore-case":"EventB"}}]}"#,
            r#"{"service":"bridge"}"#,
            false,
        ),
        ("Suffix matching", r#"{"FileName":[{"suffix":".png"}]}"#, r#"{"FileName":"a.png"}"#, true),
        (
            "Suffix matching",
            r#"{"FileName":[{"suffix":".png"}]}"#,
            r#"{"FileName":"a.PNG"}"#,
            false,
        ),
        (
            "Suffix matching while ignoring case",
            r#"{"FileName":[{"suffix":{"equals-ignore-case":".png"}}]}"#,
            r#"{"FileName":"a.PNG"}"#,
            true,
        ),
        (
            "Suffix matching while ignoring case",
            r#"{"service":[{"suffix":{"equals-ignore-case":"tBridge"}}]}"#,
            r#"{"service":"EVENTBRIDGE"}"#,
            true,
        ),
        (
            "Equals-ignore-case matching",
            r#"{"detail-type":[{"equals-ignore-case":"ec2 instance state-change notification"}]}"#,
            EC2,
            true,
        ),
        (
            "Equals-ignore-case matching",
            r#"{"detail-type":[{"equals-ignore-case":"ec2 instance"}]}"#,
            EC2,
            false,
        ),
        (
            "Matching using wildcards",
            r#"{"EventBusArn":[{"wildcard":"arn:aws:events:us-east-1:*:event-bus/*"}]}"#,
            r#"{"EventBusArn":"arn:aws:events:us-east-1:123456789012:event-bus/default"}"#,
            true,
        ),
        (
            "Matching using wildcards",
            r#"{"EventBusArn":[{"wildcard":"arn:aws:events:us-east-1:*:event-bus/*"}]}"#,
            r#"{"EventBusArn":"arn:aws:events:us-west-2:123456789012:event-bus/default"}"#,
            false,
        ),
        (
            "IP address matching",
            r#"{"detail":{"sourceIPAddress":[{"cidr":"10.0.0.0/24"}]}}"#,
            r#"{"detail":{"sourceIPAddress":"10.0.0.24"}}"#,
            true,
        ),
        (
            "IP address matching",
            r#"{"detail":{"sourceIPAddress":[{"cidr":"10.0.0.0/24"}]}}"#,
            r#"{"detail":{"sourceIPAddress":"10.0.1.24"}}"#,
            false,
        ),
    ]);
}

/// Each row's event has the value as `detail.state` and as `detail.x-limit`.
fn check_detail(table: &[Row]) {
    for (section, pattern, value, wanted) in table {
        let event = format!(r#"{{"detail":{{"state":{value},"x-limit":{value}}}}}"#);
        assert_eq!(matches(pattern, &event), *wanted, "{section}: {pattern} on {value}");
    }
}

#[test]
fn comparison_operators_anything_but_values() {
    check_detail(&[
        (
            "Anything-but",
            r#"{"detail":{"state":[{"anything-but":"initializing"}]}}"#,
            "\"running\"",
            true,
        ),
        (
            "Anything-but",
            r#"{"detail":{"state":[{"anything-but":"initializing"}]}}"#,
            "\"initializing\"",
            false,
        ),
        ("Anything-but", r#"{"detail":{"x-limit":[{"anything-but":123}]}}"#, "124", true),
        ("Anything-but", r#"{"detail":{"x-limit":[{"anything-but":123}]}}"#, "123", false),
        (
            "List of strings",
            r#"{"detail":{"state":[{"anything-but":["stopped","overloaded"]}]}}"#,
            "\"running\"",
            true,
        ),
        (
            "List of strings",
            r#"{"detail":{"state":[{"anything-but":["stopped","overloaded"]}]}}"#,
            "\"overloaded\"",
            false,
        ),
        (
            "List of numbers",
            r#"{"detail":{"x-limit":[{"anything-but":[100,200,300]}]}}"#,
            "150",
            true,
        ),
        (
            "List of numbers",
            r#"{"detail":{"x-limit":[{"anything-but":[100,200,300]}]}}"#,
            "200",
            false,
        ),
    ]);
}

#[test]
fn comparison_operators_anything_but_likenesses() {
    check_detail(&[
        (
            "Ignoring case",
            r#"{"detail":{"state":[{"anything-but":{"equals-ignore-case":"initializing"}}]}}"#,
            "\"INITIALIZING\"",
            false,
        ),
        (
            "Ignoring case",
            r#"{"detail":{"state":[{"anything-but":{"equals-ignore-case":["initializing","stopped"]}}]}}"#,
            "\"Stopped\"",
            false,
        ),
        (
            "Ignoring case",
            r#"{"detail":{"state":[{"anything-but":{"equals-ignore-case":["initializing","stopped"]}}]}}"#,
            "\"running\"",
            true,
        ),
        (
            "On prefixes",
            r#"{"detail":{"state":[{"anything-but":{"prefix":"init"}}]}}"#,
            "\"initializing\"",
            false,
        ),
        (
            "On prefixes",
            r#"{"detail":{"state":[{"anything-but":{"prefix":["init","error"]}}]}}"#,
            "\"error\"",
            false,
        ),
        (
            "On prefixes",
            r#"{"detail":{"state":[{"anything-but":{"prefix":["init","error"]}}]}}"#,
            "\"running\"",
            true,
        ),
        (
            "On suffixes",
            r#"{"detail":{"state":[{"anything-but":{"suffix":".txt"}}]}}"#,
            "\"a.txt\"",
            false,
        ),
        (
            "On suffixes",
            r#"{"detail":{"state":[{"anything-but":{"suffix":[".txt",".rtf"]}}]}}"#,
            "\"a.rtf\"",
            false,
        ),
        (
            "On suffixes",
            r#"{"detail":{"state":[{"anything-but":{"suffix":[".txt",".rtf"]}}]}}"#,
            "\"a.png\"",
            true,
        ),
        (
            "Using wildcards",
            r#"{"detail":{"state":[{"anything-but":{"wildcard":"*/lib/*"}}]}}"#,
            "\"/usr/lib/x\"",
            false,
        ),
        (
            "Using wildcards",
            r#"{"detail":{"state":[{"anything-but":{"wildcard":["*/lib/*","*/bin/*"]}}]}}"#,
            "\"/usr/bin/x\"",
            false,
        ),
        (
            "Using wildcards",
            r#"{"detail":{"state":[{"anything-but":{"wildcard":["*/lib/*","*/bin/*"]}}]}}"#,
            "\"/usr/src/x\"",
            true,
        ),
    ]);
}

#[test]
fn comparison_operators_on_numbers_and_together() {
    let numeric = r#"{"detail":{"c-count":[{"numeric":[">",0,"<=",5]}],
        "d-count":[{"numeric":["<",10]}],"x-limit":[{"numeric":["=",3.018e2]}]}}"#;
    let complex = r#"{"time":[{"prefix":"2017-10-02"}],"detail":{
        "state":[{"anything-but":"initializing"}],"c-count":[{"numeric":[">",0,"<=",5]}],
        "d-count":[{"numeric":["<",10]}],"x-limit":[{"anything-but":[100,200,300]}]}}"#;
    let or = r#"{"detail":{"$or":[{"c-count":[{"numeric":[">",0,"<=",5]}]},
        {"d-count":[{"numeric":["<",10]}]},{"x-limit":[{"numeric":["=",3.018e2]}]}]}}"#;
    let absent = r#"{"detail":{"c-count":[{"exists":false}]}}"#;
    check(&[
        ("Numeric matching", numeric, RULER, true),
        (
            "Numeric matching",
            numeric,
            r#"{"detail":{"c-count":6,"d-count":3,"x-limit":301.8}}"#,
            false,
        ),
        ("Complex example", complex, RULER, true),
        ("Complex example", complex, EC2, false),
        ("Exists matching", r#"{"detail":{"state":[{"exists":true}]}}"#, EC2, true),
        (
            "Exists matching",
            absent,
            r#"{"detail-type":["x"],"detail":{"state":["initializing","running"]}}"#,
            true,
        ),
        (
            "Exists matching",
            absent,
            r#"{"detail":{"state":["running"],"c-count":{"c1":100}}}"#,
            true,
        ),
        ("Exists matching", absent, RULER, false),
        ("Complex example using $or", or, RULER, true),
        (
            "Complex example using $or",
            or,
            r#"{"detail":{"c-count":6,"d-count":10,"x-limit":301.8}}"#,
            true,
        ),
        (
            "Complex example using $or",
            or,
            r#"{"detail":{"c-count":6,"d-count":10,"x-limit":301}}"#,
            false,
        ),
        ("Complex example using $or", or, r#"{"c-count":5}"#, false),
    ]);
}

#[test]
fn best_practices() {
    let calls = r#"{"detail-type":["AWS API Call via CloudTrail"],"$or":[
        {"source":["aws.sqs"],"detail":{"eventName":["CreateQueue","SetQueueAttributes"]}},
        {"source":["aws.kms"],"detail":{"eventName":["CreateKey","DisableKeyRotation"]}}]}"#;
    let call = "Specify event source and detail type as filters";
    check(&[
        (
            call,
            calls,
            r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.sqs","detail":{"eventName":"CreateQueue"}}"#,
            true,
        ),
        (
            call,
            calls,
            r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.kms","detail":{"eventName":"CreateKey"}}"#,
            true,
        ),
        (
            call,
            calls,
            r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.kms","detail":{"eventName":"CreateQueue"}}"#,
            false,
        ),
        (
            call,
            calls,
            r#"{"detail-type":"Other","source":"aws.sqs","detail":{"eventName":"CreateQueue"}}"#,
            false,
        ),
        (
            "Specify account and region",
            r#"{"account":["111122223333"],"region":["us-west-1"]}"#,
            EC2,
            true,
        ),
        (
            "Specify account and region",
            r#"{"account":["999988887777"],"region":["us-west-1"]}"#,
            EC2,
            false,
        ),
    ]);
}

#[test]
fn rulers_readme() {
    check(&[
        (
            "Simple matching",
            r#"{"detail-type":["EC2 Instance State-change Notification"],
                "resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000"],
                "detail":{"state":["initializing","running"]}}"#,
            RULER,
            true,
        ),
        ("Prefix matching", r#"{"time":[{"prefix":"2017-10-02"}]}"#, RULER, true),
        ("Suffix matching", r#"{"source":[{"suffix":"ec2"}]}"#, RULER, true),
        (
            "Equals-ignore-case matching",
            r#"{"source":[{"equals-ignore-case":"AWS.EC2"}]}"#,
            RULER,
            true,
        ),
        (
            "Equals-ignore-case matching",
            r#"{"source":[{"equals-ignore-case":"EC2"}]}"#,
            RULER,
            false,
        ),
        (
            "Wildcard matching",
            r#"{"source":[{"wildcard":"Simple*Service"}]}"#,
            r#"{"source":"SimpleQueueService"}"#,
            true,
        ),
        ("Wildcard matching", r#"{"source":[{"wildcard":"Simple*Service"}]}"#, RULER, false),
        (
            "IP address matching",
            r#"{"detail":{"source-ip":[{"cidr":"10.0.0.0/24"}]}}"#,
            RULER,
            true,
        ),
        ("Exists matching", r#"{"detail":{"c-count":[{"exists":true}]}}"#, RULER, true),
        (
            "Complex example",
            r#"{"time":[{"prefix":"2017-10-02"}],"detail":{"state":[{"anything-but":"initializing"}],
                "c-count":[{"numeric":[">",0,"<=",5]}],"d-count":[{"numeric":["<",10]}],
                "x-limit":[{"anything-but":[100,200,300]}],"source-ip":[{"cidr":"10.0.0.0/8"}]}}"#,
            RULER,
            true,
        ),
    ]);
}

#[test]
fn rulers_readme_arrays() {
    check(&[
        ("JSON array matching", r#"{"employees":{"firstName":["Anna"]}}"#, EMPLOYEES, true),
        ("JSON array matching", r#"{"employees":{"firstName":["Anna"]}}"#, NESTED_EMPLOYEES, true),
        (
            "JSON array matching",
            r#"{"employees":{"firstName":["Anna"],"lastName":["Jones"]}}"#,
            EMPLOYEES,
            false,
        ),
        (
            "JSON array matching",
            r#"{"employees":{"firstName":["Anna"],"lastName":["Jones"]}}"#,
            NESTED_EMPLOYEES,
            false,
        ),
        (
            "JSON array matching",
            r#"{"employees":{"firstName":["Anna"],"lastName":["Smith"]}}"#,
            NESTED_EMPLOYEES,
            true,
        ),
    ]);
}

#[test]
fn rulers_readme_or() {
    let parallel = r#"{"$or":[{"metricName":["CPUUtilization","ReadLatency"]},
        {"namespace":["AWS/EC2","AWS/ES"]}],
        "detail":{"$or":[{"source":["aws.cloudwatch"]},{"detail-type":["Alarm"]}]}}"#;
    let and = r#"{"source":["aws.cloudwatch"],"$or":[{"metricName":["CPUUtilization","ReadLatency"]},
        {"metricType":["MetricType"],"namespace":["AWS/EC2","AWS/ES"]},{"scope":["Service"]}]}"#;
    let nested = r#"{"source":["aws.cloudwatch"],"$or":[{"metricName":["CPUUtilization"]},
        {"metricType":["MetricType"],"namespace":["AWS/EC2"],
        "$or":[{"metricId":[1234]},{"spaceId":[1000]}]},{"scope":["Service"]}]}"#;
    check(&[
        (
            "Parallel Or",
            parallel,
            r#"{"namespace":"AWS/ES","detail":{"detail-type":"Alarm"}}"#,
            true,
        ),
        ("Parallel Or", parallel, r#"{"namespace":"AWS/ES","detail":{"source":"aws.ec2"}}"#, false),
        ("Parallel Or", parallel, r#"{"detail":{"detail-type":"Alarm"}}"#, false),
        ("Or has an And inside", and, r#"{"source":"aws.cloudwatch","scope":"Service"}"#, true),
        (
            "Or has an And inside",
            and,
            r#"{"source":"aws.cloudwatch","metricType":"MetricType","namespace":"AWS/ES"}"#,
            true,
        ),
        ("Or has an And inside", and, r#"{"source":"aws.cloudwatch","namespace":"AWS/ES"}"#, false),
        ("Or has an And inside", and, r#"{"source":"aws.ec2","scope":"Service"}"#, false),
        (
            "Nested Or and And",
            nested,
            r#"{"source":"aws.cloudwatch","metricType":"MetricType","namespace":"AWS/EC2","spaceId":1000}"#,
            true,
        ),
        (
            "Nested Or and And",
            nested,
            r#"{"source":"aws.cloudwatch","metricType":"MetricType","namespace":"AWS/EC2","spaceId":1234}"#,
            false,
        ),
        (
            "Nested Or and And",
            nested,
            r#"{"source":"aws.cloudwatch","metricName":"CPUUtilization"}"#,
            true,
        ),
    ]);
}
