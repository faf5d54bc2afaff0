using System.Globalization;
using Gateway.Documents;
using Gateway.Settings;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Store.Postgres;

/// <summary>
/// Documents in PostgreSQL, for several gateways: each commit is told to the others at once, and asked for once a second.
/// </summary>
internal sealed class PostgresDocumentStore(PostgresServer server) : IDocumentStore
{
    private const string Channel = "headtower";

    /// <summary>How long it is known that something was deleted. Whoever was away for longer reads everything anew.</summary>
    private const string Purge =
        """
        with gone as (delete from headtower_document where json is null and changed_at < now() - interval '1 day' returning position)
        update headtower_position set purged = greatest(purged, (select max(position) from gone)) where exists (select 1 from gone)
        """;

    private static readonly TimeSpan _poll = TimeSpan.FromSeconds(1);

    private NpgsqlConnection? _listening;
    private DateTime _serverStarted;

    public string Name => server.Name;

    public bool IsShared => true;

    public Task<StoreContents> LoadAsync(CancellationToken cancel) => server.RunAsync(
        async connection =>
        {
            // One statement sees one moment.
            var rows = await connection.QueryAsync(
                """
                select p.n, pg_postmaster_start_time(), d.id, d.version, d.json::text, d.keys
                from headtower_position p left join headtower_document d on d.json is not null
                """,
                reader =>
                    (Position: reader.GetInt64(0), Started: reader.GetDateTime(1), Document: reader.IsDBNull(2) ? null : Read(reader, 2)),
                cancel);
            _serverStarted = rows[0].Started;
            return new StoreContents(rows[0].Position, [.. rows.Select(one => one.Document).OfType<Document>()]);
        },
        cancel);

    public Task<CommitOutcome> CommitAsync(IReadOnlyList<DocumentChange> changes, CancellationToken cancel) => server.RunAsync(
        async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            try
            {
                if (!await TryWriteAsync(connection, changes, cancel))
                {
                    await transaction.RollbackAsync(cancel);
                    return CommitOutcome.Conflict;
                }
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UniqueViolation)
            {
                await transaction.RollbackAsync(cancel);
                return CommitOutcome.Conflict;
            }

            try
            {
                await transaction.CommitAsync(cancel);
            }
            catch (NpgsqlException e) when (e is not PostgresException)
            {
                throw new StoreException($"{Name}: the connection broke while something was stored; whether it was is seen in a moment", e);
            }

            return CommitOutcome.Done;
        },
        cancel);

    public async Task WaitForOthersAsync(long position, CancellationToken cancel)
    {
        try
        {
            if (_listening is null)
            {
                _listening = await server.Source.OpenConnectionAsync(cancel);
                await _listening.ExecuteAsync($"listen {Channel}", cancel);
            }

            await _listening.WaitAsync(_poll, cancel);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException
            or InvalidOperationException)
        {
            await StopListeningAsync();

            // The next step asks the server, and says what is wrong with it.
            await Task.Delay(_poll / 4, TimeProvider.System, cancel);
        }
    }

    public Task<StoreChanges> ReadChangesAsync(long position, CancellationToken cancel) => server.RunAsync(
        async connection =>
        {
            var rows = await connection.QueryAsync(
                """
                select p.n, p.purged, pg_postmaster_start_time(), d.id, d.version, d.json::text, d.keys
                from headtower_position p left join headtower_document d on d.position > $1
                """,
                reader => (
                    Position: reader.GetInt64(0), Purged: reader.GetInt64(1), Started: reader.GetDateTime(2),
                    Id: reader.IsDBNull(3) ? null : reader.GetString(3), Document: reader.IsDBNull(5) ? null : Read(reader, 3)),
                cancel,
                position);
            var (now, purged) = (rows[0].Position, rows[0].Purged);
            if (position < purged || position > now || rows[0].Started != _serverStarted)
            {
                // Too long away, or another server took over, which may not have had all of it.
                var contents = await LoadAsync(cancel);
                return new StoreChanges(contents.Position, contents.Documents, [], IsWhole: true);
            }

            return new StoreChanges(
                now, [.. rows.Select(one => one.Document).OfType<Document>()],
                    [.. rows.Where(one => one is { Document: null, Id: not null }).Select(one => one.Id!)], IsWhole: false);
        },
        cancel);

    public async ValueTask DisposeAsync()
    {
        await StopListeningAsync();
        await server.DisposeAsync();
    }

    private static async Task<bool> TryWriteAsync(
        NpgsqlConnection connection, IReadOnlyList<DocumentChange> changes, CancellationToken cancel)
    {
        // The row of the position makes one commit wait for the other.
        var position = (long)(await connection.ScalarAsync("update headtower_position set n = n + 1 returning n", cancel))!;
        string[] ids = [.. changes.Select(one => one.Id)];
        await connection.ExecuteAsync("delete from headtower_document_key where id = any ($1)", cancel, (object)ids);

        // A deleted one that comes back is a new one; its row is still there.
        var written = await connection.ExecuteAsync(
            """
            with change as (
                select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as c (id, expected, json, keys)
            )
            merge into headtower_document d using change c on d.id = c.id
            when matched and c.expected > 0 and d.version = c.expected and d.json is not null then
                update set version = case when c.json is null then d.version else d.version + 1 end, json = c.json::jsonb,
                    keys = c.keys::text[], position = $5, changed_at = now()
            when matched and c.expected = 0 and d.json is null and c.json is not null then
                update set version = 1, json = c.json::jsonb, keys = c.keys::text[], position = $5, changed_at = now()
            when not matched and c.expected = 0 and c.json is not null then
                insert (id, version, json, keys, position) values (c.id, 1, c.json::jsonb, c.keys::text[], $5)
            """,
            cancel,
            ids,
            changes.Select(one => one.Expected).ToArray(),
            Texts(changes.Select(one => one.Json)),
            Texts(changes.Select(one => ToArrayText(one.Keys))),
            position);
        if (written != changes.Count)
        {
            return false;
        }

        var keys = changes.SelectMany(one => one.Keys.Select(key => (Key: key, one.Id))).ToArray();
        await connection.ExecuteAsync(
            "insert into headtower_document_key (key, id) select * from unnest($1::text[], $2::text[])",
            cancel,
            keys.Select(one => one.Key).ToArray(),
            keys.Select(one => one.Id).ToArray());
        await connection.ExecuteAsync(Purge, cancel);
        await connection.ExecuteAsync("select pg_notify($1, $2)", cancel, Channel, position.ToString(CultureInfo.InvariantCulture));
        return true;
    }

    private static NpgsqlParameter Texts(IEnumerable<string?> values) =>
        new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    /// <summary>An array of PostgreSQL as text: arrays of arrays must be rectangles.</summary>
    private static string ToArrayText(IEnumerable<string> values) => "{" + string.Join(',', values.Select(one =>
        "\"" + one.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"")) + "}";

    private static Document Read(NpgsqlDataReader reader, int from) =>
        new(reader.GetString(from), reader.GetInt64(from + 1), reader.GetString(from + 2), reader.GetFieldValue<string[]>(from + 3));

    private async Task StopListeningAsync()
    {
        if (_listening is not null)
        {
            await _listening.DisposeAsync();
            _listening = null;
        }
    }
}
