//! A target: where an endpoint's deliveries go. Its kind follows from the form of the endpoint's URL: an
//! HTTPS URL, or the ARN of an SQS queue or of an EventBridge bus.
//!
//! Which ARNs a deployment may send to is for the operator to say: whoever may configure an endpoint could
//! otherwise have us write, with our own role, to any queue of the account. [`crate::endpoint::address`] asks here.

mod answer;
mod bus_entry;
mod queue_message;

pub use answer::outcome_of;
pub use bus_entry::BusEntry;
pub use queue_message::QueueMessage;

use std::fmt;

use url::Url;

use crate::endpoint::address::AddressFault;

/// What an ARN begins with, and no URL that may be called.
const ARN: &str = "arn:";
/// What a FIFO queue's name ends with, in lower case only.
const FIFO: &str = ".fifo";
/// Characters of a queue's name, `.fifo` included; of a bus's name. Of the services themselves.
const QUEUE_NAME_CHARS_MAX: usize = 80;
const BUS_NAME_CHARS_MAX: usize = 256;

/// Where an endpoint's deliveries go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A receiver: a POST.
    Http(Url),
    /// An SQS queue: a message.
    Queue(Resource),
    /// An EventBridge bus: an event.
    Bus(Resource),
}

/// How a target is written: all that a text tells where nobody asks what it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /// A URL, which is called: its receiver can be asked for its consent and be authenticated to.
    Url,
    /// An ARN. Whatever it names, it is no URL, and nothing but AWS's own signature opens it.
    Arn,
}

/// A queue or a bus, as its ARN names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Which of AWS's separate clouds.
    pub partition: Partition,
    /// The region that it is in, as `eu-central-1`.
    pub region: String,
    /// The account that owns it, in 12 digits.
    pub account: String,
    /// The name of the queue or the bus.
    pub name: String,
}

/// One of AWS's separate clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// The commercial regions, `aws` in an ARN.
    Aws,
    /// The regions in China, `aws-cn` in an ARN.
    China,
    /// The regions of the US government, `aws-us-gov` in an ARN.
    GovCloud,
}

/// Queues and buses of AWS: those that a deployment may send to, and its own, which it never may.
#[derive(Clone, Debug, Default)]
pub struct CloudTargets {
    /// ARNs that the operator allows.
    pub allowed: Vec<String>,
    /// ARNs of Waxseal's own: what went there would come back as an event or as a delivery.
    pub own: Vec<String>,
}

impl CloudTargets {
    /// Whether an ARN may be sent to.
    pub fn check(&self, arn: &str) -> Result<Target, AddressFault> {
        let target = parse(arn).ok_or(AddressFault::NotAnArn)?;
        let is_in = |list: &[String]| list.iter().any(|one| one == arn);
        if is_in(&self.own) {
            return Err(AddressFault::OwnResource);
        }
        if !is_in(&self.allowed) {
            return Err(AddressFault::NotATarget);
        }
        Ok(target)
    }
}

impl TargetForm {
    /// Tells how a text is written.
    pub fn of(text: &str) -> Self {
        if text.starts_with(ARN) { Self::Arn } else { Self::Url }
    }
}

impl Resource {
    /// Whether a queue keeps an order.
    pub fn is_fifo(&self) -> bool {
        self.name.strip_suffix(FIFO).is_some()
    }

    /// The URL by which SQS knows a queue.
    pub fn queue_url(&self) -> String {
        let suffix = match self.partition {
            Partition::Aws | Partition::GovCloud => "amazonaws.com",
            Partition::China => "amazonaws.com.cn",
        };
        format!("https://sqs.{}.{suffix}/{}/{}", self.region, self.account, self.name)
    }

    /// The ARN of a bus.
    pub fn bus_arn(&self) -> String {
        let (partition, region, account) = (self.partition, &self.region, &self.account);
        format!("{ARN}{partition}:events:{region}:{account}:event-bus/{}", self.name)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
        })
    }
}

/// Reads an ARN of the form `arn:<partition>:sqs:<region>:<account>:<name>` or
/// `arn:<partition>:events:<region>:<account>:event-bus/<name>`; none for any other.
fn parse(arn: &str) -> Option<Target> {
    let mut parts = arn.strip_prefix(ARN)?.splitn(5, ':');
    let partition = match parts.next()? {
        "aws" => Partition::Aws,
        "aws-cn" => Partition::China,
        "aws-us-gov" => Partition::GovCloud,
        _ => return None,
    };
    let (service, region, account, rest) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_region = (1..=32).contains(&region.len())
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !is_region || !is_account {
        return None;
    }
    let resource = |name: &str| Resource {
        partition,
        region: region.to_owned(),
        account: account.to_owned(),
        name: name.to_owned(),
    };
    match service {
        "sqs" if is_queue_name(rest) => Some(Target::Queue(resource(rest))),
        "events" => {
            let name = rest.strip_prefix("event-bus/").filter(|name| is_bus_name(name))?;
            Some(Target::Bus(resource(name)))
        }
        _ => None,
    }
}

fn is_queue_name(name: &str) -> bool {
    let stem = name.strip_suffix(FIFO).unwrap_or(name);
    name.len() <= QUEUE_NAME_CHARS_MAX
        && !stem.is_empty()
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_bus_name(name: &str) -> bool {
    (1..=BUS_NAME_CHARS_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:findings";
    const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/security/all";

    #[test]
    fn a_queue_and_a_bus_are_read_from_their_arns() {
        let Some(Target::Queue(queue)) = parse(QUEUE) else { panic!("no queue") };
        assert_eq!((queue.region.as_str(), queue.name.as_str()), ("eu-central-1", "findings"));
        let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/findings";
        assert_eq!(queue.queue_url(), url);
        assert!(!queue.is_fifo());
        let Some(Target::Bus(bus)) = parse(BUS) else { panic!("no bus") };
        assert_eq!(bus.name, "security/all");
        assert_eq!(bus.bus_arn(), BUS);
        let fifo = "arn:aws-cn:sqs:cn-north-1:123456789012:in-order.fifo";
        let Some(Target::Queue(fifo)) = parse(fifo) else { panic!("no queue") };
        assert!(fifo.is_fifo());
        let url = "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/in-order.fifo";
        assert_eq!(fifo.queue_url(), url);
    }

    #[test]
    fn what_is_no_queue_and_no_bus_is_refused() {
        let long = format!("arn:aws:sqs:us-east-1:123456789012:{}", "q".repeat(81));
        for arn in [
            "arn:aws:sqs:us-east-1:123456789012",
            "arn:aws:sqs:us-east-1:123456789012:",
            "arn:aws:sqs:us-east-1:123456789012:.fifo",
            "arn:aws:sqs:us-east-1:123456789012:*",
            "arn:aws:sqs:us-east-1:123456789012:a/b",
            "arn:aws:sqs:us-east-1:12345678901:q",
            "arn:aws:sqs:us-east-1:12345678901x:q",
            "arn:aws:sqs::123456789012:q",
            "arn:aws:sqs:us-east-1.evil.example/:123456789012:q",
            "arn:elsewhere:sqs:us-east-1:123456789012:q",
            "arn:aws:sns:us-east-1:123456789012:topic",
            "arn:aws:events:us-east-1:123456789012:rule/r",
            "arn:aws:events:us-east-1:123456789012:event-bus/",
            "arn:aws:events:us-east-1:123456789012:event-bus/a:b",
            " arn:aws:sqs:us-east-1:123456789012:q",
            &long,
        ] {
            assert_eq!(parse(arn), None, "{arn}");
        }
    }

    #[test]
    fn only_what_is_allowed_and_never_our_own() {
        let own = "arn:aws:sqs:eu-central-1:123456789012:waxseal-deliveries";
        let targets = CloudTargets {
            allowed: vec![QUEUE.to_owned(), own.to_owned(), "arn:aws:sns:x".to_owned()],
            own: vec![own.to_owned()],
        };
        assert!(matches!(targets.check(QUEUE), Ok(Target::Queue(_))));
        assert_eq!(targets.check(BUS), Err(AddressFault::NotATarget));
        assert_eq!(targets.check(&QUEUE.to_uppercase()), Err(AddressFault::NotAnArn));
        assert_eq!(targets.check(&format!("{QUEUE}s")), Err(AddressFault::NotATarget));
        assert_eq!(targets.check(own), Err(AddressFault::OwnResource));
        assert_eq!(targets.check("arn:aws:sns:x"), Err(AddressFault::NotAnArn));
    }

    #[test]
    fn a_queue_and_a_bus_of_each_partition_are_known_by_their_addresses() {
        for (partition, host) in [
            ("aws", "amazonaws.com"),
            ("aws-cn", "amazonaws.com.cn"),
            ("aws-us-gov", "amazonaws.com"),
        ] {
            let arn = format!("arn:{partition}:sqs:r-1:123456789012:q");
            let Some(Target::Queue(queue)) = parse(&arn) else { panic!("{arn}") };
            assert_eq!(queue.queue_url(), format!("https://sqs.r-1.{host}/123456789012/q"));
            let arn = format!("arn:{partition}:events:r-1:123456789012:event-bus/b");
            let Some(Target::Bus(bus)) = parse(&arn) else { panic!("{arn}") };
            assert_eq!(bus.bus_arn(), arn);
        }
    }
}
