using Gateway.Audit;
using Gateway.Store.Segments;
using Gateway.Tests.Support;

namespace Gateway.Tests.Audit;

/// <summary>What is found in the audit's files, from the newest back and from the oldest on.</summary>
public sealed class SegmentSearchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SteppedClock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AnEntryIsFoundByItsNumberWithHowItEnded()
    {
        var store = Store();
        await store.OpenAsync(default);
        for (var number = 0; number < 400; number++)
        {
            await store.WriteAsync([Begun($"r{number}", status: null)], isDurable: false, default);
            await store.WriteAsync(
                [new AuditRecord.Ended(new($"r{number}", "allowed", 200 + (number % 7), 1.5))], isDurable: false, default);
        }

        foreach (var number in new[] { 0, 1, 57, 200, 398, 399 })
        {
            var entry = await store.FindAsync((2 * number) + 1, default);
            (entry?.RequestId, entry?.Status).Should().Be(((string?, int?))($"r{number}", 200 + (number % 7)));
            (await store.FindAsync((2 * number) + 2, default)).Should().BeNull("an outcome is no entry");
        }

        (await store.FindAsync(801, default)).Should().BeNull();
        await store.CloseAsync(default);
    }

    [Fact]
    public async Task PagesFromTheNewestOnHaveEveryEntryOnceWithHowItEnded()
    {
        var store = Store();
        await store.OpenAsync(default);
        for (var number = 0; number < 300; number++)
        {
            // Calls overlap: each ends after the next one began.
            await store.WriteAsync([Begun($"r{number}", status: null)], isDurable: false, default);
            if (number > 0)
            {
                await store.WriteAsync([new AuditRecord.Ended(new($"r{number - 1}", "allowed", 204, 1))], isDurable: false, default);
            }

            _clock.Move(number == 150 ? TimeSpan.FromDays(1) : TimeSpan.FromSeconds(1));
        }

        var (found, before) = (new List<AuditEntry>(), (long?)null);
        while (await store.FindAsync(AuditSearch.All, before, 7, default) is { Count: > 0 } page)
        {
            found.AddRange(page);
            before = page[^1].Id;
        }

        found.Select(one => one.RequestId).Should().Equal(Enumerable.Range(0, 300).Reverse().Select(one => $"r{one}"));
        found.Skip(1).Should().OnlyContain(one => one.Status == 204);
        await store.CloseAsync(default);
    }

    public static TheoryData<string, int[]> Searches => new()
    {
        { "all", [0, 1, 2, 3, 4] },
        { "actor", [1, 2] },
        { "row", [2] },
        { "device", [2] },
        { "part of a device", [] },
        { "refused", [3, 4] },
        { "changes", [2] },
        { "text", [2] },
        { "text in an outcome", [4] },
        { "text with quotes", [1] },
        { "reference", [3] },
        { "nothing", [] },
        { "since", [3, 4] },
    };

    [Theory]
    [MemberData(nameof(Searches))]
    public async Task ASearchFindsWhatItSaysFromBothEnds(string name, int[] expected)
    {
        var store = Store();
        await store.OpenAsync(default);
        await store.WriteAsync([Begun("r0")], isDurable: false, default);
        await store.WriteAsync([Begun("r1", actor: "proxy:\"ann\"", path: "/api/v1/\"quoted\"")], isDurable: false, default);
        _clock.Move(TimeSpan.FromHours(3));
        await store.WriteAsync(
            [Begun("r2", actor: "proxy:\"ann\"", method: "DELETE", row: "nodes.delete", path: "/api/v1/node/SEVEN")], isDurable: false,
            default);
        _clock.Move(TimeSpan.FromHours(3));
        await store.WriteAsync([Begun("r3", reason: "role_too_low")], isDurable: false, default);
        await store.WriteAsync([Begun("r4", method: "POST", status: null)], isDurable: false, default);
        await store.WriteAsync([new AuditRecord.Ended(new("r4", "upstream_unavailable", 502, 1))], isDurable: false, default);
        var search = name switch
        {
            "actor" => new AuditSearch { Actor = "proxy:\"ann\"" },
            "row" => new AuditSearch { Row = "nodes.delete" },
            "refused" => new AuditSearch { RefusedOnly = true },
            "changes" => new AuditSearch { ChangesOnly = true },
            "device" => new AuditSearch { Device = "SEVEN" },
            "part of a device" => new AuditSearch { Device = "SEV" },
            "text" => new AuditSearch { Text = "seven" },
            "text in an outcome" => new AuditSearch { Text = "UPSTREAM_un" },
            "text with quotes" => new AuditSearch { Text = "\"quoted" },
            "reference" => new AuditSearch { Text = "r3" },
            "nothing" => new AuditSearch { Text = "no such thing" },
            "since" => new AuditSearch { Since = _clock.GetUtcNow() },
            _ => AuditSearch.All,
        };

        (await store.FindAsync(search, null, 10, default)).Select(one => one.RequestId).Should()
            .Equal(expected.Reverse().Select(one => $"r{one}"));
        (await store.ReadAsync(search, 0, 10, default)).Select(one => one.RequestId).Should().Equal(expected.Select(one => $"r{one}"));
        await store.CloseAsync(default);
    }

    [Fact]
    public async Task WhatIsRefusedIsFoundBehindAnyNumberOfChangesThatWereNot()
    {
        var store = Store();
        await store.OpenAsync(default);
        await store.WriteAsync([.. Enumerable.Range(0, 50).Select(one => Begun($"r{one}", method: "POST"))], isDurable: false, default);
        await store.WriteAsync([Begun("refused", reason: "role_too_low")], isDurable: false, default);

        (await store.ReadAsync(new AuditSearch { RefusedOnly = true }, 0, 10, default)).Select(one => one.RequestId).Should()
            .Equal("refused");
        await store.CloseAsync(default);
    }

    [Fact]
    public async Task HowACallEndedIsFoundInTheNextDaysFile()
    {
        var store = Store();
        await store.OpenAsync(default);
        await store.WriteAsync([Begun("r0", method: "POST", status: null)], isDurable: true, default);
        _clock.Move(TimeSpan.FromDays(1));
        await store.WriteAsync([new AuditRecord.Ended(new("r0", "allowed", 204, 1)), Begun("r1")], isDurable: false, default);

        (await store.FindAsync(1, default))!.Status.Should().Be(204);
        (await store.FindAsync(AuditSearch.All, 2, 10, default)).Should().ContainSingle().Which.Status.Should().Be(204);
        await store.CloseAsync(default);
    }

    [Fact]
    public async Task ACountThatIsWrittenLaterIsPartOfTheEntry()
    {
        var store = Store();
        await store.OpenAsync(default);
        await store.WriteAsync([Begun("r0"), Begun("r1")], isDurable: false, default);
        await store.WriteAsync([new AuditRecord.Counted(new("r0", 17, _clock.GetUtcNow()))], isDurable: false, default);
        await store.WriteAsync([new AuditRecord.Counted(new("r0", 99, _clock.GetUtcNow()))], isDurable: false, default);

        (await store.FindAsync(AuditSearch.All, null, 10, default)).Select(one => one.Count).Should().Equal(1, 99);
        (await store.ReadAsync(AuditSearch.All, 0, 10, default)).Select(one => one.Count).Should().Equal(99, 1);
        await store.CloseAsync(default);
    }

    private AuditRecord.Begun Begun(
        string id, string actor = "proxy:sam", string method = "GET", string path = "/api/v1/node", string? row = "nodes.list",
            string reason = "allowed", int? status = 200) =>
        new(
            new AuditEntry
            {
                At = _clock.GetUtcNow(),
                RequestId = id,
                Kind = AuditKind.Api,
                Actor = actor,
                Method = method,
                Path = path,
                Row = row,
                Reason = reason,
                Status = status
            });

    private SegmentAuditStore Store() => new(Path.Combine(_folder.Path, "audit"), null, _clock);
}
