use waxseal_domain::event::hops::Hops;
use waxseal_domain::event::{Form, Submission};

use super::*;

const NOW: Timestamp = Timestamp::from_ms(0);

fn event() -> Event {
    let text = r#"{"id":"e1","type":"dlp.pii_blocked","data":1}"#.to_owned();
    let submission =
        Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
    Event::accept(&"acme".parse().unwrap(), &submission, NOW, 7).unwrap().event
}

fn endpoint(pattern: &str) -> Endpoint {
    let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
    let mut endpoint = Endpoint::new(id, tenant, "standard".to_owned(), NOW);
    endpoint.subscription.event_types = vec![pattern.parse().unwrap()];
    endpoint
}

#[test]
fn an_event_that_is_gone_or_expunged_ends_its_delivery() {
    assert_eq!(sendable(None).unwrap_err(), End::Failed(FailedReason::Expired));
    let expunged = event().remove_payload();
    assert_eq!(sendable(Some(expunged)).unwrap_err(), End::Cancelled(CancelledReason::Expunged));
    assert_eq!(sendable(Some(event())).unwrap().id.as_str(), "e1");
}

#[test]
fn a_delivery_goes_on_to_an_endpoint_that_is_there_enabled_and_wants_it() {
    let end = |endpoint: Option<Endpoint>| match recipient_of(endpoint.map(Arc::new), &event()) {
        Ok(Recipient::Wanting(_)) => None,
        Ok(Recipient::Ended(end)) => Some(end),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(end(Some(endpoint("dlp.*"))), None);
    let disabled = endpoint("dlp.*").disable(DisabledReason::Requested, NOW);
    assert_eq!(end(Some(disabled)), Some(End::Failed(FailedReason::EndpointDisabled)));
    let unwanted = Some(End::Cancelled(CancelledReason::NotWanted));
    assert_eq!(end(Some(endpoint("decision.*"))), unwanted);
    assert_eq!(end(None), Some(End::Cancelled(CancelledReason::EndpointDeleted)));
}

#[test]
fn only_a_retry_has_a_time() {
    assert_eq!(next_at(Next::RetryAt(Timestamp::from_ms(5))), Some(Timestamp::from_ms(5)));
    for next in [Next::Done, Next::GiveUp, Next::Unsendable, Next::DisableEndpoint] {
        assert_eq!(next_at(next), None);
    }
}
