using Gateway.Audit;
using Gateway.Settings;
using Gateway.Store.Segments;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Tests.Audit;

/// <summary>The audit's files: chained, signed, healed, and deleted in wholes.</summary>
public sealed class SegmentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SteppedClock _clock = new();
    private readonly EphemeralDataProtectionProvider _keys = new();

    private string Folder => Path.Combine(_folder.Path, "audit");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WhatWasWrittenIsAsItWasWrittenAlsoAfterClosingAndTheNextDay()
    {
        await WriteAsync(5);
        _clock.Move(TimeSpan.FromDays(1));
        await WriteAsync(5);

        (await VerifyAsync()).Should().BeEmpty();
        SegmentFile.All(Folder).Select(Path.GetFileName).Should().Equal("2026-06-01.jsonl", "2026-06-02.jsonl");
        FileModes.Of(SegmentFile.All(Folder)[0]).Should().Be(FileModes.OwnerOnly);
        (await Store().ReadAsync(AuditSearch.All, 0, 100, default)).Select(one => one.RequestId).Should()
            .Equal(Enumerable.Range(0, 10).Select(one => $"r{one}"));
    }

    [Fact]
    public async Task ALineThatWasAlteredIsNamed()
    {
        await WriteAsync(8);
        Edit(lines => lines[3] = lines[3].Replace("\"status\":200", "\"status\":404", StringComparison.Ordinal));

        (await VerifyAsync()).Should().Equal("2026-06-01.jsonl line 4: entry 4 was altered");
    }

    [Fact]
    public async Task ALineWhoseLinkWasAlteredIsNamed()
    {
        await WriteAsync(8);
        Edit(lines => lines[3] = lines[3].Replace("\"prev\":\"", "\"prev\":\"0", StringComparison.Ordinal));

        (await VerifyAsync()).Should().Equal("2026-06-01.jsonl line 4: entry 4 was altered");
    }

    [Fact]
    public async Task ALineThatWasRemovedIsNamed()
    {
        await WriteAsync(8);
        Edit(lines => lines.RemoveAt(3));

        (await VerifyAsync()).Should().Equal("2026-06-01.jsonl line 4: one line was removed before it (entry 3 is followed by 5)");
    }

    [Fact]
    public async Task LinesInAnotherOrderAreNamed()
    {
        await WriteAsync(8);
        Edit(lines => (lines[3], lines[4]) = (lines[4], lines[3]));

        (await VerifyAsync()).Should().Equal("2026-06-01.jsonl line 5: entry 4 stands after entry 5: lines were put in another order");
    }

    [Fact]
    public async Task ALineThatWasInsertedIsNamed()
    {
        await WriteAsync(8);
        Edit(lines => lines.Insert(4, lines[3].Replace("r3", "rx", StringComparison.Ordinal)));

        (await VerifyAsync()).Should().ContainSingle().Which.Should().Contain("line 5: entry 4 was inserted after entry 4");
    }

    [Fact]
    public async Task ALineThatIsNoneIsNamed()
    {
        await WriteAsync(8);
        Edit(lines => lines[3] = "nonsense");

        (await VerifyAsync()).Should().Equal("2026-06-01.jsonl line 4 was altered: it is no line of an audit");
    }

    [Fact]
    public async Task ADayThatWasTakenAwayIsMissed()
    {
        await WriteAsync(3);
        for (var day = 0; day < 2; day++)
        {
            _clock.Move(TimeSpan.FromDays(1));
            await WriteAsync(3);
        }

        var days = SegmentFile.All(Folder);
        File.Move(days[1], Path.Combine(_folder.Path, "day"));
        (await VerifyAsync()).Should().ContainSingle().Which.Should().StartWith("2026-06-03.jsonl line 1: 4 lines were removed before it");
        File.Move(Path.Combine(_folder.Path, "day"), days[1]);
        (await VerifyAsync()).Should().BeEmpty();
        File.Delete(days[0]);
        (await VerifyAsync()).Should().ContainSingle().Which.Should()
            .StartWith("the beginning is missing: 4 lines were removed before entry 5, and not by retention");
    }

    [Fact]
    public async Task LinesThatWereTakenOffTheEndAndLinesThatWereAllWrittenAnewAreMissed()
    {
        await WriteAsync(8);
        var store = Store();
        await store.OpenAsync(default);
        await store.WriteAsync([Begun("last")], isDurable: true, default);
        await store.CloseAsync(default);
        var head = store.Signed!;
        head.Number.Should().Be(11);
        Edit(lines => lines.RemoveRange(4, lines.Count - 4));
        (await store.VerifyAsync([head], default)).Problems.Should()
            .Equal("the end is missing: 7 lines were removed after entry 4; it was signed up to entry 11");
        File.Delete(SegmentFile.All(Folder)[0]);

        await WriteAsync(12);

        (await store.VerifyAsync([head], default)).Problems.Should()
            .Equal("entry 11 is not the one that was signed: lines up to it were written anew");
    }

    [Fact]
    public async Task ARunningGatewayMissesLinesThatNobodyHasSignedYet()
    {
        var store = Store();
        await store.OpenAsync(default);
        await store.WriteAsync([Begun("one"), Begun("two"), Begun("three")], isDurable: true, default);
        (await store.VerifyAsync([], default)).Problems.Should().BeEmpty();

        Edit(lines => lines.RemoveAt(2));

        (await store.VerifyAsync([], default)).Problems.Should()
            .Equal("the end is missing: one line was removed after entry 2; this gateway wrote up to entry 3");
    }

    [Fact]
    public async Task LinesThatWereChainedAnewDoNotFitTheSignatureBehindThem()
    {
        await WriteAsync(8);
        Edit(lines =>
        {
            lines[3] = lines[3].Replace("\"status\":200", "\"status\":404", StringComparison.Ordinal);
            for (var at = 4; at < lines.Count; at++)
            {
                var hash = ChainLine.HashOf(System.Text.Encoding.UTF8.GetBytes(lines[at - 1]));
                lines[at] = System.Text.RegularExpressions.Regex.Replace(lines[at], "\"prev\":\"[0-9a-f]+\"", $"\"prev\":\"{hash}\"");
            }
        });

        (await VerifyAsync()).Should().Equal("2026-06-01.jsonl line 9: the signature is of other lines than those before it");
    }

    [Fact]
    public async Task ASignatureThatIsForgedOrOfAnotherKeyRingOrOfOtherLinesIsNamed()
    {
        await WriteAsync(3);
        (await Store(new EphemeralDataProtectionProvider()).VerifyAsync([], default)).Problems.Should().ContainSingle().Which.Should()
            .Contain("signature is not one of this key ring");

        var other = _keys.CreateProtector("audit head").Protect("3 " + new string('a', 64));
        Edit(
            lines => lines[3] = System.Text.RegularExpressions.Regex.Replace(lines[3], "\"signature\":\"[^\"]+\"",
                $"\"signature\":\"{other}\""));
        (await VerifyAsync()).Should().ContainSingle().Which.Should().Contain("the signature is of other lines");
    }

    [Fact]
    public async Task HalfALineIsCutOffAndToldAndTheChainGoesOn()
    {
        await WriteAsync(3);
        await File.AppendAllTextAsync(SegmentFile.All(Folder)[0], "{\"n\":5,\"t\":\"re");

        var store = Store();
        (await store.OpenAsync(default)).Should().Contain("14 bytes of a line that was not finished");
        await store.WriteAsync([Begun("after")], isDurable: true, default);
        await store.CloseAsync(default);

        var result = await store.VerifyAsync([], default);
        result.Problems.Should().BeEmpty();
        result.Notes.Should().ContainSingle().Which.Should().Contain("14 bytes");
        (await store.ReadAsync(AuditSearch.All, 0, 100, default)).Select(one => one.RequestId).Should().Equal("r0", "r1", "r2", "after");
    }

    [Fact]
    public async Task WhatIsPastItsRetentionGoesByWholeDaysAndThatIsPartOfTheChain()
    {
        for (var day = 0; day < 4; day++)
        {
            await WriteAsync(3);
            _clock.Move(TimeSpan.FromDays(1));
        }

        var store = Store();
        await store.OpenAsync(default);
        (await store.DeleteBeforeAsync(_clock.GetUtcNow().AddDays(-2), default)).Should().Be("2026-06-01.jsonl, 2026-06-02.jsonl");
        (await store.DeleteBeforeAsync(_clock.GetUtcNow().AddDays(-2), default)).Should().BeNull();
        await store.CloseAsync(default);

        (await VerifyAsync()).Should().BeEmpty();
        SegmentFile.All(Folder).Select(Path.GetFileName).Should().Equal("2026-06-03.jsonl", "2026-06-04.jsonl", "2026-06-05.jsonl");
    }

    [Fact]
    public async Task ALastLineThatCannotBeReadStopsTheStartInWords()
    {
        await WriteAsync(3);
        Edit(lines => lines[^1] = "nonsense");

        (await FluentActions.Awaiting(() => Store().OpenAsync(default)).Should().ThrowAsync<StoreException>()).Which.Message.Should()
            .Contain("cannot be read");
    }

    private int _written;

    private async Task WriteAsync(int entries)
    {
        var store = Store();
        await store.OpenAsync(default);
        for (var number = 0; number < entries; number++)
        {
            await store.WriteAsync([Begun($"r{_written++}")], isDurable: number % 2 == 0, default);
        }

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

    private SegmentAuditStore Store(IDataProtectionProvider? keys = null) => new(Folder, keys ?? _keys, _clock);

    private async Task<IReadOnlyList<string>> VerifyAsync() => (await Store().VerifyAsync([], default)).Problems;

    private void Edit(Action<List<string>> change)
    {
        var file = SegmentFile.All(Folder)[0];
        var lines = File.ReadAllLines(file).ToList();
        change(lines);
        File.WriteAllText(file, string.Concat(lines.Select(line => line + "\n")));
    }
}
