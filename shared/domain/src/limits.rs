//! Every bound and every duration of the protocol, once, with its reason.

/// An event as received: what a queue message, a row and a receiver take without special care.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;
/// A request to the API: a batch of events included.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// Events in one request: each is acknowledged on its own, and all within the function's time-out.
pub const EVENTS_PER_REQUEST_MAX: usize = 100;
/// Characters of an event type: one SQS attribute, one line of a log.
pub const EVENT_TYPE_CHARS_MAX: usize = 256;
/// Characters of a summary: what a chat message shows without cutting.
pub const SUMMARY_CHARS_MAX: usize = 512;
/// Characters of a `source`, and of a sender's `id`.
pub const SOURCE_CHARS_MAX: usize = 512;
/// Characters of any other attribute's value.
pub const ATTRIBUTE_CHARS_MAX: usize = 2048;
/// Attributes of an event beside those that `CloudEvents` names.
pub const ATTRIBUTES_MAX: usize = 32;
/// Deliveries of Waxseal's that may lie behind an event: a team's, its company's and a partner's, each with a
/// deployment of its own. Every one more multiplies what one event can cause by the endpoints that want it: an event
/// with f endpoints that lead back causes f + f² + f³ others, and no more.
pub const HOPS_MAX: u32 = 3;

/// Endpoints of a tenant: one query page of 1 MB holds them, and one event's targets fit its row.
pub const ENDPOINTS_PER_TENANT_MAX: usize = 100;
/// Event type patterns of an endpoint.
pub const EVENT_TYPES_PER_ENDPOINT_MAX: usize = 50;
/// Outcomes that an endpoint asks for: beyond these, a filter says what is meant.
pub const OUTCOMES_PER_ENDPOINT_MAX: usize = 20;
/// The scale of risk scores.
pub const RISK_SCORE: std::ops::RangeInclusive<f64> = 0.0..=1.0;
/// Characters of an operator's key that is given, at the least: 16 of hexadecimal are 64 bits, which nobody
/// guesses over a network. One that is made has 52 of base 32.
pub const OPERATOR_KEY_CHARS_MIN: usize = 16;
/// Own headers of an endpoint.
pub const HEADERS_PER_ENDPOINT_MAX: usize = 20;
/// Characters of an own header's name: the API's document says so.
pub const HEADER_NAME_CHARS_MAX: usize = 128;
/// Characters of an own header's value.
pub const HEADER_VALUE_CHARS_MAX: usize = 1024;
/// Characters of a name given to an endpoint.
pub const NAME_CHARS_MAX: usize = 128;
/// Least and most time-out of one attempt, in milliseconds: the function has
/// [`FUNCTION_TIMEOUT_S`] in all.
pub const TIMEOUT_MS: std::ops::RangeInclusive<u32> = 1_000..=10_000;

/// Delays of a retry policy.
pub const DELAYS_MAX: usize = 100;
/// Seconds of one delay.
pub const DELAY_S: std::ops::RangeInclusive<u32> = 1..=604_800;
/// Milliseconds before a window's end at which its last attempt is due: a message is late by up to a second,
/// and what comes before the POST takes its time.
pub const WINDOW_MARGIN_MS: u64 = 2_000;
/// Seconds of a retry policy's window.
pub const WINDOW_S: std::ops::RangeInclusive<u32> = 1..=1_209_600;
/// All delays together, in seconds: [`EVENT_RETENTION_S`] must outlast them by 14 days and a pause.
pub const DELAYS_SUM_S_MAX: u64 = 14 * DAY_S;
/// `Retry-After` is honoured up to here, in seconds.
pub const RETRY_AFTER_S_MAX: u64 = DAY_S;
/// How long an event and what became of it are kept, in seconds.
pub const EVENT_RETENTION_S: u64 = 35 * DAY_S;
/// A delivery whose event expires within this is ended rather than tried, in seconds.
pub const EXPIRY_MARGIN_S: u64 = 3_600;
/// Attempts kept in a delivery's log: the last ones.
pub const LOG_ATTEMPTS_MAX: usize = 10;

/// Bytes read of a response's body.
pub const RESPONSE_BYTES_MAX: usize = 16 * 1024;
/// Characters of a response kept with its attempt.
pub const EXCERPT_CHARS_MAX: usize = 1_024;

/// Seconds that one invocation of a function may take: `Timeout` in the template. In one process a
/// message has as long.
pub const FUNCTION_TIMEOUT_S: u64 = 15;
/// Seconds for which a received message is not received again: six time-outs, as AWS advises for a
/// queue that invokes a function, and one more. `VisibilityTimeout` in the template.
pub const MESSAGE_VISIBILITY_S: u64 = 6 * FUNCTION_TIMEOUT_S + 1;
/// The number of receives after which a message that was never settled is buried: `maxReceiveCount`
/// in the template.
pub const MESSAGE_RECEIVES_MAX: u32 = 20;

/// How old a message may be at its first receive to be attempted without reading the row, in
/// seconds.
pub const MESSAGE_UNREAD_AGE_S_MAX: u64 = 60;
/// The oldest copy of an endpoint that a first attempt uses, in seconds. It is as old as a message
/// that goes unread may be, since both keep one promise: what a person changes reaches all first
/// attempts within the same minute, whether the row says it or the endpoint.
pub const ENDPOINT_COPY_FIRST_ATTEMPT_S: u64 = MESSAGE_UNREAD_AGE_S_MAX;
/// The oldest copy of one of the deployment's own profiles, in seconds. A delivery is written by
/// its endpoint and its profile, so a change of either takes as long to reach it.
pub const PROFILE_COPY_S: u64 = ENDPOINT_COPY_FIRST_ATTEMPT_S;
/// The oldest copy of a source that a hook is verified with, in seconds. The secrets of sources and
/// of endpoints are rotated with the same overlap ([`OVERLAP_S`]), which allows for this age.
pub const SOURCE_COPY_S: u64 = ENDPOINT_COPY_FIRST_ATTEMPT_S;
/// The oldest copy of the endpoints whose public keys are published, in seconds: a rotation shows
/// there as soon as deliveries are sure to be signed by it.
pub const WEBHOOK_KEYS_COPY_S: u64 = ENDPOINT_COPY_FIRST_ATTEMPT_S;
/// How long after its event's acceptance a delivery without a row counts as missing, in seconds.
/// Its first message may be attempted unread until then, so a younger one is probably under way.
pub const MISSING_AFTER_S: u64 = MESSAGE_UNREAD_AGE_S_MAX;
/// The oldest copy of a tenant's endpoints that a new event is matched with, in seconds.
pub const ENDPOINT_COPY_INGEST_S: u64 = 10;
/// The oldest copy of an endpoint that a later attempt uses, in seconds. It is short, so that a
/// receiver whose endpoint was corrected is retried at the new settings.
pub const ENDPOINT_COPY_RETRY_S: u64 = 5;
/// Longest wait by message visibility: a longer one would fill the queue's 120,000 in flight.
pub const WAIT_BY_VISIBILITY_S_MAX: u64 = 150;
/// How long before `next_at` a parked row is due, in seconds: two ticks of the sweep. Its message
/// is then sent with a delay, so that the attempt is made on its second.
pub const PARKED_DUE_BEFORE_S: u64 = 120;
/// How long after `next_at` the sweep looks at a row whose message should have come again, in
/// seconds.
pub const WATCH_DUE_AFTER_S: u64 = 15 * 60;
/// How long a first claim holds, in seconds. It doubles with each further claim, so that a backlog
/// is not multiplied by messages that the sweep sends for rows whose message still waits.
pub const LEASE_S: u64 = 120;
/// Longest lease of a sweep's claim.
pub const LEASE_S_MAX: u64 = 4 * 3_600;
/// How long only the holder may make an attempt that is due, in seconds: longer than
/// [`MESSAGE_VISIBILITY_S`] and [`FUNCTION_TIMEOUT_S`] together, so that the holder has ended
/// before another message begins.
pub const HOLDER_ONLY_S: u64 = 120;
const _: () = assert!(HOLDER_ONLY_S > MESSAGE_VISIBILITY_S + FUNCTION_TIMEOUT_S);
/// How late the holder may be, in seconds, and still make its attempt without claiming the row
/// first. It is less than [`HOLDER_ONLY_S`], at which others may claim the row, so that the two
/// never attempt at once.
pub const HOLDER_LATENESS_S_MAX: u64 = 90;
const _: () = assert!(HOLDER_LATENESS_S_MAX < HOLDER_ONLY_S);
/// The receive from which a wait parks, so that waiting never reaches [`MESSAGE_RECEIVES_MAX`].
pub const PARK_AT_RECEIVE: u32 = 15;
const _: () = assert!(PARK_AT_RECEIVE < MESSAGE_RECEIVES_MAX);
/// Longest wait after our own shortage, in seconds: of handles, buffers, memory or a name server. The receiver is well,
/// and a minute is how often the sweep comes on AWS, which sends what rests.
pub const SHORTAGE_WAIT_S_MAX: u64 = 60;
/// How early a message may be, in milliseconds, and still make its attempt: clocks of two machines
/// differ.
pub const EARLINESS_MS_MAX: u64 = 1_000;
/// How far ahead of ours the clock of another machine may be, in milliseconds. A message whose
/// `sent_at` lies further ahead says that a clock is wrong, and its row is read.
pub const CLOCK_AHEAD_MS_MAX: u64 = 5_000;
/// How long after a cancel, an expunge or a disable something may still be sent, in seconds: a first attempt that is
/// queued goes out on a copy, and what is under way then ends within its invocation.
pub const SILENT_AFTER_S: u64 = MESSAGE_UNREAD_AGE_S_MAX + FUNCTION_TIMEOUT_S;
/// How far a wall clock may be from the time that has passed since its process began, before it counts as a jump:
/// setting a clock right by less moves no schedule by more than its receivers notice.
pub const CLOCK_STEP_MS_MAX: u64 = 10_000;
/// How far a function's clock may be from the time that an answer of AWS tells, before it counts as wrong. The date
/// of an answer has whole seconds, and an answer takes up to ten.
pub const CLOCK_ERROR_MS_MAX: u64 = 30_000;
/// Jumps of a clock that are remembered, for ages in time that has passed: a clock that is set more often than that
/// within a retention is out of order, and what is owed is kept for longer.
pub const CLOCK_JUMPS_MAX: usize = 100;
/// How long a server is believed to have been off by its wall clock alone, in seconds: of more, nothing that is owed
/// gets older, since a clock that jumped looks the same.
pub const DOWN_BELIEVED_S_MAX: u64 = DAY_S;
/// How long the messages of a duplicate event wait (I6), in seconds, so that those of the first
/// request finish first.
pub const DUPLICATE_DELAY_S: u32 = 10;
/// A delivery pending for longer shows as `overdue`.
pub const OVERDUE_S: u64 = 15 * 60;
/// Messages are sent again to a queue that failed, at most so often within one request.
pub const ENQUEUE_TRIES_MAX: usize = 3;
/// How often a cancel or an expunge is written anew, where a result is recorded at the same moment: results of one
/// delivery are seconds apart.
pub const CANCEL_TRIES_MAX: usize = 5;

/// Deliveries that one call of `recover` queues, and a page: spread at ten a second they fit SQS's
/// longest delay, 15 minutes.
pub const RECOVERED_MAX: u32 = 5_000;
/// Attempts a second that an endpoint may be limited to.
pub const MAX_PER_SECOND: std::ops::RangeInclusive<u32> = 1..=1_000;
/// Attempts under way at once that an endpoint may be limited to: one row holds a lease of each.
pub const MAX_CONCURRENCY: std::ops::RangeInclusive<u32> = 1..=100;
/// A slot is kept so long beyond its attempt, where it is not given back: the most that two clocks
/// may differ by.
pub const SLOT_GRACE_S: u64 = 5;
/// Waits in milliseconds for a slot to be free, before an attempt is held: together what an invocation
/// has left beside the longest attempt and its record.
pub const SLOT_WAITS_MS: [u64; 4] = [100, 200, 400, 600];
/// An endpoint's rate is counted in windows of so many seconds.
pub const RATE_WINDOW_S: u64 = 10;
/// The oldest copy of a gate that a first attempt uses, in seconds: as old as that of its endpoint,
/// since both are asked for the same attempt.
pub const GATE_COPY_FIRST_ATTEMPT_S: u64 = ENDPOINT_COPY_FIRST_ATTEMPT_S;
/// The oldest copy of a gate that a later attempt uses, in seconds: as old as that of its endpoint,
/// for the same reason.
pub const GATE_COPY_RETRY_S: u64 = ENDPOINT_COPY_RETRY_S;
/// A circuit breaker looks at so many seconds.
pub const BREAKER_WINDOW_S: u64 = 60;
/// A gate in pacing is reviewed so often, and what it releases is spread over that time.
pub const PACING_REVIEW_S: u64 = 60;
/// How long a gate that cannot be reviewed, since its endpoint cannot be read, is put off, in seconds: as long as a
/// message that meets the same. It must not take the place of another at each sweep.
pub const UNREADABLE_GATE_S: u64 = 15 * 60;
/// Released in one review at most: a hundred a second, which a sweep has the time for.
pub const PACED_PER_REVIEW_MAX: usize = 6_000;
/// A gate releases so many deliveries a second, and retries go ahead of its review at that pace, unless the
/// endpoint says `max_per_second`.
pub const PACED_PER_SECOND: u32 = 10;
/// A call of `recover` sends so many deliveries a second: it puts the first attempts of the others off, since no
/// gate may be there to hold them.
pub const RECOVERED_PER_SECOND: u32 = 10;
/// How long a throttled endpoint is left alone if it does not say.
pub const THROTTLE_DEFAULT_S: u64 = 10;
/// How long a closing gate stays at least, in seconds: five times as long as an instance may use a
/// copy of it, on which it would still hold a delivery.
pub const GATE_LINGER_S: u64 = 5 * GATE_COPY_FIRST_ATTEMPT_S;
/// What a paused endpoint wants is kept for so long; then it is disabled. With two policies' length and
/// the 14 days of dead letters it is within [`EVENT_RETENTION_S`].
pub const PAUSE_S_MAX: u64 = 7 * DAY_S;
/// An endpoint whose breaker was open for so long, probes failing all the while, is disabled.
pub const FAILING_S_MAX: u64 = 5 * DAY_S;

/// Requests a second of an API key that says no other bound: more than a person or a busy agent makes.
pub const KEY_MAX_PER_SECOND: u32 = 100;
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;
/// How long after it was made a secret is shown to a repeated request, in seconds: as long as senders
/// repeat one.
pub const SECRET_SHOWN_S: u64 = DAY_S;
/// Seconds for which a rotated secret signs beside the new one: at least twice as long as instances
/// keep copies of an endpoint, since receivers need a moment as well.
pub const OVERLAP_S: std::ops::RangeInclusive<u64> = 2 * ENDPOINT_COPY_FIRST_ATTEMPT_S..=30 * DAY_S;
/// How long a rotated secret signs beside the new one if the request does not say, in seconds.
pub const OVERLAP_DEFAULT_S: u64 = DAY_S;
/// Profiles of its own that a deployment may have: one answer lists them all.
pub const OWN_PROFILES_MAX: usize = 100;
/// Members of a profile's body that hold all of an event's payload or attributes: the body may be so many times as long
/// as the event.
pub const OWN_PROFILE_COPIES_MAX: usize = 8;
/// API keys of a tenant.
pub const KEYS_PER_TENANT_MAX: usize = 200;
/// Requests a second of all keys of a tenant together, if the deployment says no other bound: as many as the fastest
/// single key may make, so that a tenant gains nothing by many keys.
pub const TENANT_MAX_PER_SECOND: u32 = *MAX_PER_SECOND.end();
/// Requests a second of a tenant that a deployment may be set to.
pub const TENANT_MAX_PER_SECOND_RANGE: std::ops::RangeInclusive<u32> = 1..=1_000_000;
/// Attempts a minute at all of a tenant's deliveries, if the deployment says no other bound: a thousand a second, which
/// the busiest single endpoint may ask for. It bounds what a tenant can cost: on AWS a delivery of ours by our model
/// costs some millionths of a dollar.
pub const TENANT_DELIVERIES_PER_MINUTE: u32 = 60 * *MAX_PER_SECOND.end();
/// The same in one process, where a delivery costs nothing but the machine's own time, and tenants take turns: more than
/// two cores make, so that only what nobody could want is bounded.
pub const TENANT_DELIVERIES_PER_MINUTE_EMBEDDED: u32 = 5 * TENANT_DELIVERIES_PER_MINUTE;
/// Attempts a minute of a tenant that a deployment may be set to: one in each window at the least.
pub const TENANT_DELIVERIES_PER_MINUTE_RANGE: std::ops::RangeInclusive<u32> = 6..=60_000_000;
/// What was put off by its tenant's bound is released at so many a second for each endpoint: twenty endpoints together
/// take what the bound lets pass, and what is released beyond it is put off again.
pub const PUT_OFF_PER_SECOND: u32 = TENANT_DELIVERIES_PER_MINUTE / 60 / 20;
/// Hooks a second of a source that says no other bound: as many as the requests of a key, since both bring events.
pub const SOURCE_MAX_PER_SECOND: u32 = KEY_MAX_PER_SECOND;
/// Sources of a tenant.
pub const SOURCES_PER_TENANT_MAX: usize = 200;
/// Event types of a tenant's catalogue: with their schemas one query's few pages.
pub const EVENT_TYPES_PER_TENANT_MAX: usize = 200;
/// Bytes of an event type's schema.
pub const SCHEMA_BYTES_MAX: usize = 32 * 1024;
/// Steps that checking an event against the schema of its type may take, as
/// [`crate::schema_plan::SchemaPlan`] counts them: a step is a schema or a keyword that a value meets, and takes
/// some tens of nanoseconds. The longest event with a schema of ordinary form takes a third of it, and a check
/// ends within some tens of milliseconds.
pub const SCHEMA_STEPS_MAX: u64 = 1_000_000;
/// Steps of naming every place at which an event does not fit its schema: each may leave a fault of half a kilobyte
/// in memory, until all are known. Where it takes more, the event is refused without the places.
pub const SCHEMA_EXPLAIN_STEPS_MAX: u64 = 100_000;
/// Schemas and keywords that one value meets at one place, references written out: a union of a hundred forms has a
/// few thousand, and each value of an event may cost as much.
pub const SCHEMA_EXPANSION_MAX: u64 = 20_000;
/// Schemas that a validator makes of one document: as many as the longest has, where it is one resource. Resources that
/// refer to one another are made once for each way to them, and those ways double and double.
pub const SCHEMA_COMPILED_NODES_MAX: usize = 10_000;
/// Schemas within which a value, or a part of it, is checked at the same time: each takes some stack, of which a thread
/// has 2 MiB. An event is nested 64 deep, and a recursive form takes three or four for each level.
pub const SCHEMA_DEPTH_MAX: usize = 256;
/// Pairs of a schema and a part of an event that are remembered while a check's steps are counted, so that counting
/// takes a few megabytes at the most.
pub const SCHEMA_PAIRS_MAX: usize = 200_000;
/// Different regular expressions of a schema: each takes up some kilobytes, however short it is.
pub const SCHEMA_PATTERNS_MAX: usize = 100;
/// Bytes that the regular expressions of a schema may take up together, compiled: a schema must not hold megabytes
/// for as long as it is kept.
pub const SCHEMA_PATTERN_BYTES_MAX: u64 = 1024 * 1024;
/// Steps that finding the endpoints which want one event may take, all of a tenant's filters together, as
/// [`crate::work::Meter`] counts them: some tens of milliseconds. The longest event, searched for a text by each of a
/// hundred endpoints, takes most of it; an event of ordinary length, with filters of ordinary length, a hundredth.
pub const MATCH_STEPS_MAX: u64 = 2_000_000;
/// Steps of the same that are taken where requests are served, a fraction of a millisecond: what takes more is done
/// where it holds up nobody.
pub const MATCH_STEPS_IN_PLACE: u64 = 5_000;
/// Steps of asking, before a later attempt, whether the endpoint still wants the event. It is asked where other
/// attempts are made, and what cannot be said within a millisecond ends no delivery that is owed.
pub const MATCH_STEPS_ATTEMPT: u64 = 20_000;
/// Pieces of work that somebody else decides which are done at the same time, beside what serves requests, and as
/// many long answers that are made at the same time. One owner has one of them, so that two must do their worst before
/// a third waits.
pub const WORK_PLACES: usize = 2;
/// How long work may wait for its turn, in milliseconds: well within the time that a client waits for an answer.
pub const WORK_WAIT_MS: u64 = 5_000;
/// Seconds after which a request whose turn did not come may be repeated.
pub const WORK_RETRY_S: u64 = 1;
/// Bytes of requests and events that wait in line for one owner: the eight longest requests, and many more of ordinary
/// length. They are held in memory until their turn has come.
pub const WORK_WAITING_BYTES_MAX: usize = 8 * REQUEST_BYTES_MAX;
/// Bytes of tenants' endpoints that are kept in memory, their filters compiled: those of one tenant may take half.
pub const ENDPOINTS_KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of tenants' event types that are kept in memory: those of one tenant may take two thirds.
pub const EVENT_TYPES_KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a text that is read where requests are served: longer ones are read where that holds up nobody.
pub const READ_BYTES_IN_PLACE: usize = 16 * 1024;
/// Bytes of an event type's example.
pub const EXAMPLE_BYTES_MAX: usize = 16 * 1024;
/// Faults that are named of a payload that does not fit its schema.
pub const SCHEMA_FAULTS_MAX: usize = 20;
/// Characters of a description.
pub const DESCRIPTION_CHARS_MAX: usize = 1_024;
/// How long an audit entry is kept, in seconds.
pub const AUDIT_RETENTION_S: u64 = 400 * DAY_S;

/// Shards of the due index: 16 partitions of 1,000 writes a second.
pub const DUE_SHARDS: u32 = 16;
/// Shards of a tenant's day in the index of events by time.
pub const TIME_SHARDS: u32 = 4;
/// The number of entries on a page of a list, if the request does not say.
pub const PAGE_DEFAULT: usize = 50;
/// The largest number of entries on a page of a list.
pub const PAGE_MAX: usize = 200;
/// Live secrets of an endpoint or a source: the one in use and the one before.
pub const SECRETS_LIVE_MAX: usize = 2;
/// How far a hook's timestamp may be off, in seconds, unless its source says otherwise.
pub const TOLERANCE_S: u64 = 300;

/// File handles that the server keeps for its store, its logs, look-ups of names and the runtime: a few dozen.
pub const HANDLES_RESERVED: u64 = 64;
/// The attempts of one priority may take one in so many of the other handles. There are two priorities, so that
/// connections have half at least.
pub const HANDLES_PER_LANE_SHARE: u64 = 4;
/// Bytes of all bodies and answers that the server holds at the same time: what a small machine has to spare.
pub const BYTES_UNDER_WAY_MAX: usize = 48 * 1024 * 1024;
/// Bytes of the bodies of callers without a key among them: hundreds of ordinary hooks.
pub const KEYLESS_BYTES_UNDER_WAY_MAX: usize = 12 * 1024 * 1024;
/// Bytes of answers among them, so that whoever does not read keeps no event out.
pub const ANSWER_BYTES_UNDER_WAY_MAX: usize = 24 * 1024 * 1024;
/// Bytes of a page of a list: Lambda answers with 6 MB at the most, some of which is the envelope's.
pub const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a connection for which there is no place may take to ask, in milliseconds, before it is told so.
pub const REFUSAL_WAIT_MS: u64 = 100;
/// Connections that wait at the same time for another to leave its place.
pub const ENTERING_MAX: usize = 16;
/// Refusals (401) of one address within [`REFUSED_WINDOW_S`] that are answered at once: more than a person or a
/// script mistakes.
pub const REFUSED_AT_ONCE_MAX: u32 = 100;
/// Seconds within which the refusals of an address are counted.
pub const REFUSED_WINDOW_S: u64 = 60;
/// How long a further refusal waits for its answer, in milliseconds: a guess a second for each connection.
pub const REFUSED_PAUSE_MS: u64 = 1_000;
/// Addresses whose refusals are counted at the same time: some hundred kilobytes.
pub const REFUSED_ADDRESSES_MAX: usize = 10_000;
/// Bytes of a request's line and headers: three times what API Gateway takes.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Seconds for a request's head, and then for its body.
pub const REQUEST_READ_S_MAX: u64 = 30;
/// Seconds within which a client must send more of a body, or take more of an answer.
pub const STALL_S_MAX: u64 = 10;
/// Seconds within which a client must have taken an answer: a page of [`PAGE_BYTES_MAX`] at half a megabit a second.
pub const ANSWER_TAKEN_S_MAX: u64 = 60;
/// Bytes of an answer that the system keeps for a client that does not read, for each connection.
pub const SEND_BUFFER_BYTES: u32 = 256 * 1024;
/// Milliseconds for which the rest of a body that is not read is taken and thrown away, so that its sender can read
/// why.
pub const LINGER_MS: u64 = 1_000;

const DAY_S: u64 = 86_400;
/// Seconds for which `/healthz` repeats what it has seen: anybody may ask, and each look is a synced write.
pub const HEALTH_COPY_S: u64 = 5;
/// Seconds within which a write is to be synced: a probe of most load balancers waits for five.
pub const HEALTH_WRITE_S: u64 = 2;
/// Free space of the data folder's disk in percent, at the least: below it most file systems slow down, and a
/// person should act while nothing is refused yet.
pub const DISK_FREE_PERCENT_MIN: u64 = 10;
/// File handles in use, in percent of their limit: beyond it one burst of connections takes the rest.
pub const HANDLES_USED_PERCENT_MAX: u64 = 80;
/// Memory in use, in percent of what the machine or the container has: beyond it one burst of large requests
/// may have the system end the process.
pub const MEMORY_USED_PERCENT_MAX: u64 = 80;
/// Seconds for which a message is due and not done with: an attempt takes a minute and a half at the most, so
/// beyond five the queue has fallen behind.
pub const BACKLOG_WARN_S: u64 = 300;
/// Lines of a log of senders or receivers that `audit-deliveries` reads: it keeps their ids, times and digests in
/// memory, some 200 bytes each.
pub const AUDITED_LINES_MAX: usize = 2_000_000;
/// The longest of these lines, in bytes: an id, a time and a digest are a few hundred.
pub const AUDITED_LINE_BYTES_MAX: usize = 64 * 1024;
/// Broken promises that `audit-deliveries` lists; the others are counted. A person reads the first few.
pub const AUDIT_FINDINGS_MAX: usize = 10_000;

#[cfg(test)]
mod tests;
