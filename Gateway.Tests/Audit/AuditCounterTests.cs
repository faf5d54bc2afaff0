using Gateway.Audit;
using Gateway.Tests.Support;

namespace Gateway.Tests.Audit;

/// <summary>Which entries are written one by one, and which are counted.</summary>
public sealed class AuditCounterTests
{
    private readonly SteppedClock _clock = new();
    private readonly AuditCounter _counter;

    public AuditCounterTests() => _counter = new(_clock);

    [Fact]
    public void WhatOneCallerReadsAgainAndAgainIsOneEntryAMinute()
    {
        Take(1000, Read()).Should().Be(1);
        Take(10, Read() with { Row = "users.list" }).Should().Be(1);
        Take(10, Read() with { Actor = "proxy:eve" }).Should().Be(1);
        Take(10, Read() with { Status = 404 }).Should().Be(1);

        Counts(isEager: false).Should().BeEmpty("the minute goes on");
        _clock.Move(TimeSpan.FromMinutes(1));
        Counts(isEager: false).Should().BeEquivalentTo([1000L, 10, 10, 10]);
        Counts(isEager: true).Should().BeEmpty("they were told");
        Take(3, Read()).Should().Be(1, "a new minute has an entry of its own");
    }

    [Fact]
    public void CountsThatAreAskedForBeforeTheMinuteIsOverGoOn()
    {
        Take(5, Read());
        Counts(isEager: true).Should().Equal(5);
        Counts(isEager: true).Should().BeEmpty();
        Take(5, Read()).Should().Be(0);
        Counts(isEager: true).Should().Equal(10);
    }

    [Fact]
    public void ReadsAreSingleWhereTheSettingsSaySo() => Take(20, Read(), countsReads: false).Should().Be(20);

    [Fact]
    public void ChangesAndRefusalsOfPeopleAreSingle()
    {
        Take(20, Read() with { Method = "DELETE" }).Should().Be(20);
        Take(20, Read() with { Reason = "role_too_low" }).Should().Be(20);
        Take(20, Read() with { Kind = AuditKind.Person }).Should().Be(20);
    }

    [Fact]
    public void WhoeverIsOverTheirLimitIsCounted() => Take(500, Read() with { Reason = "too_many" }).Should().Be(1);

    [Fact]
    public void StrangersAreCountedByAddressAndReason()
    {
        Take(500, Stranger("192.0.2.1")).Should().Be(1);
        Take(500, Stranger("192.0.2.1") with { Reason = "too_many" }).Should().Be(1);
        Take(500, Stranger("192.0.2.2")).Should().Be(1);
        Take(500, Stranger("2001:db8::1")).Should().Be(1);
        Take(500, Stranger("2001:db8::ffff")).Should().Be(0, "a /64 is one household");
    }

    [Fact]
    public void KeysThatNobodyHasProvenAreCountedByAddress()
    {
        Enumerable.Range(0, 500).Sum(one => Take(1, Stranger("192.0.2.1") with { Actor = $"key:{one}", Reason = "too_many" })).Should()
            .Be(1);
        Enumerable.Range(0, 500).Sum(one => Take(1, Stranger("192.0.2.1") with { Actor = $"key:{one}", Reason = "passed_through" }))
            .Should().Be(1);
        Enumerable.Range(0, 500)
            .Sum(one => Take(1, Stranger("192.0.2.1") with { Actor = $"key:{one}", Reason = "bad_request", Status = 400 })).Should().Be(1);
        Take(5, Stranger("192.0.2.1") with { Actor = "key:abc", Role = "owner", Reason = "bad_request", Status = 400 }).Should()
            .Be(5, "a session that was begun with a key is somebody's");
        Take(5, Stranger("192.0.2.1") with { Actor = "key:good", Reason = "passed_through", Status = 200 }).Should().Be(1);
    }

    [Fact]
    public void OfVeryManyStrangersMostShareOneEntry()
    {
        var written = Enumerable.Range(0, 5000).Sum(one => Take(20, Stranger($"10.0.{one / 250}.{one % 250}")));

        written.Should().Be(21);
        Counts(isEager: true).Sum().Should().Be(5000 * 20);
        _clock.Move(TimeSpan.FromMinutes(1));
        Counts(isEager: false);
        Take(1, Stranger("10.0.99.1")).Should().Be(1, "the next minute has room again");
    }

    [Fact]
    public void FailedSignInsAreSingleUpToABound() =>
        Take(500, Stranger("192.0.2.1") with { Kind = AuditKind.SignIn, Row = "sign_in.api_key" }).Should().Be(20);

    private int Take(int times, AuditEntry entry, bool countsReads = true) =>
        Enumerable.Range(0, times)
            .Count(_ => _counter.Take(entry with { RequestId = Guid.NewGuid().ToString("n") }, countsReads) is not null);

    private IEnumerable<long> Counts(bool isEager) =>
        _counter.TakeCounts(isEager).OfType<AuditRecord.Counted>().Select(one => one.Count.Count);

    private AuditEntry Read() => new()
    {
        At = _clock.GetUtcNow(),
        RequestId = "",
        Kind = AuditKind.Api,
        Actor = "proxy:sam",
        Role = "viewer",
        Row = "nodes.list",
        Method = "GET",
        Path = "/api/v1/node",
        Reason = "allowed",
        Status = 200,
    };

    private AuditEntry Stranger(string client) =>
        Read() with { Actor = null, Role = null, Client = client, Reason = "sign_in_required", Status = 401 };
}
