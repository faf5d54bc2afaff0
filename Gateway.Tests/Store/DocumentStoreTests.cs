using System.Text.Json.Nodes;
using Gateway.Documents;
using Gateway.Identity;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Store.Postgres;
using Gateway.Tests.Support;
using Gateway.Users;

namespace Gateway.Tests.Store;

/// <summary>What every kind of store promises.</summary>
[Collection(PostgresCollection.Name)]
public sealed class DocumentStoreTests(PostgresCluster cluster) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private string? _connection;

    /// <summary>Without PostgreSQL on a developer's machine, the embedded ones; <see cref="PostgresFactAttribute"/> says so.</summary>
    public static TheoryData<string> Kinds =>
        [.. StoreKinds.Names.Where(one => one != "postgres" || RealComponents.WithoutPostgres is null)];

    public static TheoryData<string> EmbeddedKinds => ["sqlite", "litedb"];

    public void Dispose() => _folder.Dispose();

    [PostgresFact]
    public void PostgresIsAmongTheKinds() => Kinds.Should().HaveCount(3);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task WhatWasCommittedIsThereAfterReopening(string kind)
    {
        await using (var store = await OpenAsync(kind))
        {
            (await store.LoadAsync(default)).Documents.Should().BeEmpty();
            (await store.CommitAsync([Put("a/1", 0, "x", "k1", "k2"), Put("a/2", 0, "y")], default)).Should().Be(CommitOutcome.Done);
            (await store.CommitAsync([Put("a/1", 1, "z", "k2", "k3"), new("a/2", 1, null, []), Put("a/3", 0, "ä \"quoted\" \\ \u2028")],
                default)).Should()
                .Be(CommitOutcome.Done);
        }

        await using var again = await OpenAsync(kind);
        var documents = (await again.LoadAsync(default)).Documents.OrderBy(one => one.Id, StringComparer.Ordinal).ToArray();
        documents.Select(one => (one.Id, one.Version, TextOf(one), string.Join(' ', one.Keys.Order()))).Should()
            .Equal(("a/1", 2L, "z", "k2 k3"), ("a/3", 1L, "ä \"quoted\" \\ \u2028", ""));
        (await again.CommitAsync([Put("a/4", 0, "k1 is free again", "k1")], default)).Should().Be(CommitOutcome.Done);
    }

    public static TheoryData<string, string> Conflicts
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var kind in StoreKinds.Names.Where(one => one != "postgres" || RealComponents.WithoutPostgres is null))
            {
                foreach (var conflict in new[] { "exists", "is gone", "is newer", "is older", "key is taken",
                    "key is taken within the commit" })
                {
                    data.Add(kind, conflict);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Conflicts))]
    public async Task ACommitWithOneConflictChangesNothing(string kind, string conflict)
    {
        await using var store = await OpenAsync(kind);
        await store.CommitAsync([Put("a/1", 0, "x", "k1"), Put("a/2", 0, "y", "k2")], default);
        await store.CommitAsync([Put("a/2", 1, "y2", "k2")], default);
        DocumentChange[] changes = conflict switch
        {
            "exists" => [Put("a/1", 0, "other")],
            "is gone" => [Put("a/9", 1, "other")],
            "is newer" => [Put("a/2", 1, "other", "k2")],
            "is older" => [Put("a/1", 2, "other", "k1")],
            "key is taken" => [Put("a/1", 1, "other", "k1", "k2")],
            _ => [Put("a/4", 0, "other", "k4"), Put("a/5", 0, "other", "k4")],
        };

        (await store.CommitAsync([Put("a/3", 0, "before", "k3"), .. changes, Put("a/6", 0, "after")], default)).Should()
            .Be(CommitOutcome.Conflict);

        (await store.LoadAsync(default)).Documents.Select(one => (one.Id, one.Version, TextOf(one), string.Join(' ', one.Keys))).Should()
            .BeEquivalentTo([("a/1", 1L, "x", "k1"), ("a/2", 2L, "y2", "k2")]);
        (await store.CommitAsync([Put("a/3", 0, "z", "k3")], default)).Should()
            .Be(CommitOutcome.Done, "nothing is left of the commit that failed");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task KeysAndIdsAreComparedByteForByte(string kind)
    {
        await using var store = await OpenAsync(kind);
        string[] alike =
        [
            "ann", "Ann", "ann ", " ann", "änn", "a\u0308nn", "ａnn", "ann\u200b", "\u0131nn", "inn", "Inn", new('x', 3000),
            new string('x', 3000) + "y",
        ];

        (await store.CommitAsync([.. alike.Select((one, at) =>
            Put($"a/{one[..Math.Min(one.Length, 200)]}{(one.Length > 200 ? at : "")}", 0, one, $"identity:{one}"))], default)).Should()
            .Be(CommitOutcome.Done);

        (await store.LoadAsync(default)).Documents.SelectMany(one => one.Keys).Should()
            .BeEquivalentTo(alike.Select(one => $"identity:{one}"));
        (await store.CommitAsync([Put("b/1", 0, "x", "identity:Ann")], default)).Should().Be(CommitOutcome.Conflict);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AKeyGoesFromOneDocumentToAnotherInOneCommit(string kind)
    {
        await using var store = await OpenAsync(kind);
        await store.CommitAsync([Put("a/1", 0, "x", "owner"), Put("a/2", 0, "y")], default);

        (await store.CommitAsync([Put("a/2", 1, "y", "owner"), Put("a/1", 1, "x")], default)).Should().Be(CommitOutcome.Done);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task OfFiftyWhoWantTheSameKeyOneGetsIt(string kind)
    {
        await using var store = await OpenAsync(kind);
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(one => Task.Run(() => store.CommitAsync([Put($"a/{one}", 0, "x", "owner")], default))));

        outcomes.Should().ContainSingle(one => one == CommitOutcome.Done);
        (await store.LoadAsync(default)).Documents.Should().ContainSingle();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task OfFiftyFirstPeopleOneIsOwnerAndChangesOfTheSamePersonAreAllMade(string kind)
    {
        await using var state = await StoredState.OpenAsync(await OpenAsync(kind));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(one => Task.Run(() =>
            state.People.AdmitAsync(new(Source.Proxy, "", $"person-{one}", null, null, null, "member"), OwnerRule.WhenFirst))));

        state.People.Snapshot.Everyone.Should().HaveCount(50).And.ContainSingle(one => one.Role == "owner");
        var someone = state.People.Snapshot.Everyone.First(one => one.Role != "owner");
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(one =>
                Task.Run(() => state.People.SetRoleAsync(someone.Id, one % 2 == 0 ? "viewer" : "auditor"))));
        outcomes.Should().OnlyContain(one => one == Change.Done);
        (await state.Store.LoadAsync(default)).Documents.Single(one => one.Id == $"person/{someone.Id}").Version.Should().BeGreaterThan(1);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AHundredThousandSessionsAreHeldAndTheirUseIsStored(string kind)
    {
        var now = new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
        await using (var store = await OpenAsync(kind))
        {
            var sessions = SessionStore.NewCollection();
            foreach (var part in Enumerable.Range(1, 100_000).Chunk(20_000))
            {
                (await store.CommitAsync([.. part.Select(id =>
                    sessions.Write(new Session { Id = id, Hash = $"hash-{id}", Kind = SessionKind.ApiKey, KeyPrefix = $"p{id}",
                        CreatedAt = now, ExpiresAt = now, LastUsedAt = now }))], default))
                    .Should().Be(CommitOutcome.Done);
            }
        }

        await using var state = await StoredState.OpenAsync(await OpenAsync(kind));
        state.Sessions.Find("hash-77777")!.Id.Should().Be(77777);
        (await state.Sessions.TouchAsync(Enumerable.Range(1, 2000).ToDictionary(one => (long)one, _ => now.AddHours(1)))).Should().Be(2000);
        (await state.Sessions.RemoveAsync(one => one.Id > 95_000)).Should().Be(5_000);
        state.Sessions.All.Count().Should().Be(95_000);
    }

    [Theory]
    [MemberData(nameof(EmbeddedKinds))]
    public async Task AStoreThatIsDamagedIsRefusedWithTheWayOut(string kind)
    {
        await using (var store = await OpenAsync(kind))
        {
            await store.CommitAsync(
                [.. Enumerable.Range(0, 500).Select(one => Put($"a/{one}", 0, new string('x', 500), $"key-{one}"))], default);
        }

        var file = FileOf(kind);
        var bytes = await File.ReadAllBytesAsync(file);
        for (var at = 8192; at < bytes.Length; at += 4096)
        {
            bytes.AsSpan(at + 64, 512).Fill(0xAA);
        }

        await File.WriteAllBytesAsync(file, bytes);

        var opening = async () =>
        {
            await using var store = await OpenAsync(kind);
            await store.LoadAsync(default);
        };
        (await opening.Should().ThrowAsync<DamagedStoreException>()).Which.Message.Should().Contain("gateway restore");
    }

    [Theory]
    [MemberData(nameof(EmbeddedKinds))]
    public async Task AnEmbeddedStoreIsForItsOwnerAlone(string kind)
    {
        FileModes.Set(_folder.Path, (UnixFileMode)0b111_101_101);
        await using var store = await OpenAsync(kind);
        await store.CommitAsync([Put("a/1", 0, "x")], default);

        Directory.EnumerateFiles(_folder.Path).Should().NotBeEmpty().And
            .AllSatisfy(file => FileModes.Of(file).Should().Be(FileModes.OwnerOnly, file));
    }

    [Theory]
    [MemberData(nameof(EmbeddedKinds))]
    public void AnEmbeddedStoreBelongsToOneProcess(string kind)
    {
        using var held = StoreLock.Take(FileOf(kind));
        FluentActions.Invoking(() => StoreLock.Take(FileOf(kind))).Should().Throw<StoreException>().Which.Message.Should()
            .Contain("another gateway uses");
    }

    [MountTheory]
    [MemberData(nameof(EmbeddedKinds))]
    public async Task AFullDiskRefusesChangesAndLosesNothing(string kind)
    {
        await using var disk = await SmallDisk.MountAsync(kilobytes: 3072);
        await using var store = Open(kind, Path.Combine(disk.Path, FileOf(kind, "")));
        var (stored, outcome) = (0, CommitOutcome.Done);
        var filling = async () =>
        {
            while (stored < 1000)
            {
                outcome = await store.CommitAsync([Put($"a/{stored}", 0, new string('x', 4000))], default);
                stored++;
            }
        };

        (await filling.Should().ThrowAsync<StoreException>()).Which.Should().NotBeOfType<DamagedStoreException>();

        stored.Should().BeGreaterThan(3);
        await store.DisposeAsync();
        disk.Enlarge(kilobytes: 16384);
        await using var again = Open(kind, Path.Combine(disk.Path, FileOf(kind, "")));
        (await again.LoadAsync(default)).Documents.Count.Should().Be(stored);
        (await again.CommitAsync([Put("b/1", 0, new string('x', 4000))], default)).Should().Be(CommitOutcome.Done);
    }

    private static DocumentChange Put(string id, long expected, string text, params string[] keys) =>
        new(id, expected, new JsonObject { ["text"] = text }.ToJsonString(), keys);

    private static string TextOf(Document document) => JsonNode.Parse(document.Json)!["text"]!.GetValue<string>();

    private string FileOf(string kind, string? folder = null) => Path.Combine(folder ?? _folder.Path, StoreKinds.Parse(kind).FileName);

    private async Task<IDocumentStore> OpenAsync(string kind) => kind == "postgres"
        ? new PostgresDocumentStore(await PostgresServer.OpenAsync(new Secret(_connection ??= await cluster.MakeDatabaseAsync()), default))
        : Open(kind, FileOf(kind));

    private static IDocumentStore Open(string kind, string file) =>
        kind == "litedb" ? LiteDbDocumentStore.Open(file) : new SqliteDocumentStore(SqliteFile.Open(file, file + ".audit"));
}
