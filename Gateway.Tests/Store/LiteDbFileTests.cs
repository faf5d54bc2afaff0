using System.Text.Json.Nodes;
using Gateway.Documents;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Tests.Support;

namespace Gateway.Tests.Store;

/// <summary>What is LiteDB's alone: whose file it is, and that it does not grow for ever.</summary>
public sealed class LiteDbFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "headtower.litedb");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ALiteDbStoreOfANewerGatewayOrOfAnotherProgramIsRefused()
    {
        await LiteDbDocumentStore.Open(File).DisposeAsync();
        using (var newer = new LiteDB.LiteDatabase(LiteDbFile.Connection(File)))
        {
            newer.GetCollection("meta").Update(new LiteDB.BsonDocument { ["_id"] = "schema", ["number"] = 99 });
        }

        FluentActions.Invoking(() => LiteDbDocumentStore.Inspect(File)).Should().ThrowExactly<StoreException>().Which.Message.Should()
            .Contain("newer gateway");
        FluentActions.Invoking(() => LiteDbDocumentStore.Open(File)).Should().ThrowExactly<StoreException>().Which.Message.Should()
            .Contain("newer gateway");
        var other = Path.Combine(_folder.Path, "other.litedb");
        using (var theirs = new LiteDB.LiteDatabase(LiteDbFile.Connection(other)))
        {
            theirs.GetCollection("theirs").Insert(new LiteDB.BsonDocument { ["_id"] = 1 });
        }

        FluentActions.Invoking(() => LiteDbDocumentStore.Open(other)).Should().ThrowExactly<StoreException>().Which.Message.Should()
            .Contain("some other program");
    }

    [Fact]
    public async Task ALiteDbFileThatIsMostlyAirIsWrittenAnewAtTheStart()
    {
        await using (var store = LiteDbDocumentStore.Open(File))
        {
            await store.CommitAsync(
                [Put("a/1", 0, "kept", "k1"), .. Enumerable.Range(0, 3000).Select(one => Put($"b/{one}", 0, new string('x', 3000)))],
                default);
            await store.CommitAsync(
                [Put("a/1", 1, "kept", "k1"), .. Enumerable.Range(0, 3000).Select(one => new DocumentChange($"b/{one}", 1, null, []))],
                default);
        }

        new FileInfo(File).Length.Should().BeGreaterThan(8 * 1024 * 1024);
        await using var again = LiteDbDocumentStore.Open(File);

        new FileInfo(File).Length.Should().BeLessThan(1024 * 1024);
        var document = (await again.LoadAsync(default)).Documents.Should().ContainSingle().Subject;
        (document.Id, document.Version, document.Json).Should().Be(("a/1", 2L, """{"text":"kept"}"""));
        (await again.CommitAsync([Put("a/2", 0, "x", "k1")], default)).Should().Be(CommitOutcome.Conflict);
        Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).Should().BeEquivalentTo("headtower.litedb", "headtower-log.litedb");
    }

    private static DocumentChange Put(string id, long expected, string text, params string[] keys) =>
        new(id, expected, new JsonObject { ["text"] = text }.ToJsonString(), keys);
}
