using Gateway.Audit;
using Gateway.Store.Postgres;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using Secret = Gateway.Settings.Secret;

namespace Gateway.Tests.Audit;

/// <summary>The chain of a process in PostgreSQL: signed each day, and known to its gateway up to its last line.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresChainTests(PostgresCluster cluster)
{
    [PostgresFact]
    public async Task EachDayIsSignedAndLinesThatNobodyHasSignedYetAreMissed()
    {
        var (text, clock) = (await cluster.MakeDatabaseAsync(), new SteppedClock());
        await using var server = await PostgresServer.OpenAsync(new Secret(text), default);
        await using var store = new PostgresAuditStore(server, new EphemeralDataProtectionProvider(), clock);
        await store.OpenAsync(default);
        await store.WriteAsync([Begun("one", clock), Begun("two", clock)], isDurable: true, default);
        store.Signed.Should().BeNull();

        clock.Move(TimeSpan.FromDays(1));
        await store.WriteAsync([Begun("three", clock)], isDurable: true, default);

        store.Signed!.Number.Should().Be(3, "the day before ends with a signature");
        (await store.VerifyAsync([store.Signed], default)).Problems.Should().BeEmpty();
        await using (var connection = new NpgsqlConnection(text))
        {
            await connection.OpenAsync();
            await using var cut = new NpgsqlCommand("delete from headtower_audit where n = 4", connection);
            await cut.ExecuteNonQueryAsync();
        }

        (await store.VerifyAsync([store.Signed], default)).Problems.Should()
            .Equal("the end is missing: one line was removed after entry 3; this gateway wrote up to entry 4");
    }

    private static AuditRecord.Begun Begun(string id, TimeProvider clock) => new(new AuditEntry
    {
        At = clock.GetUtcNow(),
        RequestId = id,
        Kind = AuditKind.Api,
        Method = "POST",
        Path = "/api/v1/node/1/expire",
        Reason = "allowed",
    });
}
