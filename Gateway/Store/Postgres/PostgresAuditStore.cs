using System.Security.Cryptography;
using System.Text;
using Gateway.Audit;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace Gateway.Store.Postgres;

/// <summary>
/// The audit in PostgreSQL: one table, a partition a month. Each process has a chain of its own, of the same lines as in files.
/// </summary>
/// <param name="server">The server; whoever made it closes it.</param>
/// <param name="protection">Signs and checks; null where nothing is written.</param>
internal sealed class PostgresAuditStore(PostgresServer server, IDataProtectionProvider? protection, TimeProvider clock) : IAuditStore
{
    private const int Page = 500;

    private const string Entries = "type in ('read', 'change', 'refusal')";

    private readonly SemaphoreSlim _writing = new(1, 1);
    private ChainWriter _chain = new("");
    private readonly ChainSigning _signing = new(protection);
    private readonly PostgresAuditMonths _months = new();
    private DateOnly _day;
    private bool _isSigned = true;

    public Task<string?> OpenAsync(CancellationToken cancel)
    {
        Begin("");
        return Task.FromResult<string?>(null);
    }

    public async Task WriteAsync(IReadOnlyList<AuditRecord> records, bool isDurable, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        if (_day < today)
        {
            await CloseAsync(cancel);
            _day = today;
        }

        await AppendAsync([.. records.Select(one => ChainLine.From(one, now))], cancel);
    }

    public AuditHead? Signed { get; private set; }

    public async Task CloseAsync(CancellationToken cancel)
    {
        if (_signing.Close(_chain.Head, clock.GetUtcNow()) is { } close && !_isSigned)
        {
            await AppendAsync([close], cancel);
            Signed = _chain.Head with { At = clock.GetUtcNow() };
        }
    }

    public Task<IReadOnlyList<AuditEntry>> FindAsync(AuditSearch search, long? before, int most, CancellationToken cancel) =>
        CollectAsync(search, $"id < $1 order by id desc limit {Page}", before ?? long.MaxValue, most, cancel);

    public Task<IReadOnlyList<AuditEntry>> ReadAsync(AuditSearch search, long after, int most, CancellationToken cancel) =>
        CollectAsync(search, $"id > $1 order by id limit {Page}", after, most, cancel);

    public async Task<AuditEntry?> FindAsync(long id, CancellationToken cancel) =>
        (await PageAsync(AuditSearch.All, "id = $1", id, cancel)) is [var entry] ? entry : null;

    public Task<AuditVerification> VerifyAsync(IReadOnlyList<AuditHead> signed, CancellationToken cancel)
    {
        var written = _chain.Head is { Number: > 0 } head ? head : null;
        return server.RunAsync(
            connection => PostgresAuditVerification.RunAsync(connection, _signing.IsSigned, signed, written, cancel), cancel);
    }

    public async Task<string?> DeleteBeforeAsync(DateTimeOffset time, CancellationToken cancel)
    {
        var gone = await server.RunAsync(connection => PostgresAuditMonths.BeforeAsync(connection, time, cancel), cancel);
        foreach (var partition in gone)
        {
            await DropAsync(partition, cancel);
        }

        return gone.Count == 0 ? null : string.Join(", ", gone);
    }

    public Task CopyToAsync(string folder, CancellationToken cancel)
    {
        PrivateFiles.MakeFolder(folder);
        return server.RunAsync(
            async connection =>
            {
                await using var file = new FileStream(
                    Path.Combine(folder, "audit.jsonl"), PrivateFiles.Options(FileMode.CreateNew, FileShare.None));
                await using var command = new NpgsqlCommand("select line from headtower_audit order by id", connection);
                await using var reader = await command.ExecuteReaderAsync(cancel);
                while (await reader.ReadAsync(cancel))
                {
                    await file.WriteAsync(Encoding.UTF8.GetBytes(reader.GetString(0) + "\n"), cancel);
                }

                return 0;
            },
            cancel);
    }

    /// <summary>Takes entries over from elsewhere, into a chain of their own.</summary>
    public async Task ImportAsync(IReadOnlyList<AuditEntry> entries, CancellationToken cancel)
    {
        if (_chain.Head.Chain.Length == 0)
        {
            Begin("imported-");
        }

        await AppendAsync([.. entries.Select(one => ChainLine.From(new AuditRecord.Begun(one), one.At))], cancel, isImport: true);
    }

    public ValueTask DisposeAsync()
    {
        _writing.Dispose();
        _chain.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A chain is of one process: nobody goes on with another one's.</summary>
    private void Begin(string prefix)
    {
        _chain.Dispose();
        _chain = new($"{prefix}{Environment.MachineName}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        _isSigned = true;
    }

    /// <param name="isImport">Whether the lines are kept under the time of their entries; else under the time that they are
    /// written.</param>
    private async Task AppendAsync(ChainLine[] lines, CancellationToken cancel, bool isImport = false)
    {
        await _writing.WaitAsync(cancel);
        try
        {
            // In partitions by month, the lines of a chain must not go back in time.
            var now = clock.GetUtcNow();
            var rows = new List<StoredLine>();
            _chain.Write(
                lines, _ => { },
                (line, number, text) => rows.Add(new(line, number, Encoding.UTF8.GetString(text), isImport ? line.At : now)));
            try
            {
                await server.RunAsync(connection => InsertAsync(connection, rows, cancel), cancel);
                _isSigned = lines[^1].Type == ChainLine.Close;
            }
            catch
            {
                // Whether it was stored is not known: a chain that might have two lines of one number is gone on with nowhere.
                Begin("");
                _months.Forget();
                throw;
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task<int> InsertAsync(NpgsqlConnection connection, List<StoredLine> rows, CancellationToken cancel)
    {
        await _months.MakeAsync(connection, rows.Select(one => one.At), cancel);
        return await connection.ExecuteAsync(
            """
            insert into headtower_audit (replica, n, at, type, request, actor, "row", line)
            select $1, c.* from unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) as c
            on conflict do nothing
            """,
            cancel,
            _chain.Head.Chain,
            rows.Select(one => one.Number).ToArray(), rows.Select(one => one.At.ToUniversalTime()).ToArray(),
            rows.Select(one => one.Line.Type).ToArray(),
            Texts(rows.Select(one => one.Line.Of ?? one.Line.Id)), Texts(rows.Select(one => one.Line.Actor)),
            Texts(rows.Select(one => one.Line.Row)),
            rows.Select(one => one.Text).ToArray());
    }

    /// <summary>Page after page, until there are enough or no more.</summary>
    private async Task<IReadOnlyList<AuditEntry>> CollectAsync(
        AuditSearch search, string where, long position, int most, CancellationToken cancel)
    {
        var found = new List<AuditEntry>();
        while (true)
        {
            var page = await PageAsync(search, where, position, cancel);
            found.AddRange(page.Where(search.Matches).Take(most - found.Count));
            if (found.Count == most || page.Count < Page)
            {
                return found;
            }

            position = page[^1].Id;
        }
    }

    /// <summary>Entries of a page with what was said of them later. What the server cannot tell apart is left to the caller.</summary>
    private Task<List<AuditEntry>> PageAsync(AuditSearch search, string where, long position, CancellationToken cancel) => server.RunAsync(
        async connection =>
        {
            var conditions = new List<string> { Entries };
            var values = new List<object> { position };
            Add(search.Actor, "actor = ");
            Add(search.Row, "\"row\" = ");
            Add(search.Since?.ToUniversalTime(), "at >= ");
            if (search.ChangesOnly || search.RefusedOnly)
            {
                conditions.Add(search.ChangesOnly ? "type = 'change'" : "type in ('change', 'refusal')");
            }

            var entries = await connection.QueryAsync(
                $"select id, line from headtower_audit where {string.Join(" and ", conditions)} and {where}",
                reader => ChainLine.Parse(Encoding.UTF8.GetBytes(reader.GetString(1)))!.ToEntry() with { Id = reader.GetInt64(0) },
                cancel,
                [.. values]);
            var later = new Dictionary<string, ChainLine>(StringComparer.Ordinal);
            foreach (var line in await connection.QueryAsync(
                "select line from headtower_audit where type in ('outcome', 'count') and request = any ($1) order by id",
                reader => ChainLine.Parse(Encoding.UTF8.GetBytes(reader.GetString(0)))!,
                cancel,
                (object)entries.Select(one => one.RequestId).ToArray()))
            {
                later[line.Of!] = line;
            }

            return entries.ConvertAll(one => later.TryGetValue(one.RequestId, out var end) ? end.AddTo(one) : one);

            void Add(object? value, string condition)
            {
                if (value is not null)
                {
                    values.Add(value);
                    conditions.Add($"{condition}${values.Count}");
                }
            }
        },
        cancel);

    /// <summary>What goes is written down before it goes, and where each chain begins from then on.</summary>
    private async Task DropAsync(string partition, CancellationToken cancel)
    {
        var begins = await server.RunAsync(
            connection => connection.QueryAsync(
                $"""
                select gone.replica, gone.through, next.line
                from (select replica, max(n) as through from headtower_audit
                    where tableoid = to_regclass('{partition}') group by replica) gone
                join headtower_audit next on next.replica = gone.replica and next.n = gone.through + 1
                """,
                reader =>
                    (Replica: reader.GetString(0), Through: reader.GetInt64(1),
                        Next: ChainLine.Parse(Encoding.UTF8.GetBytes(reader.GetString(2)))),
                cancel),
            cancel);
        await AppendAsync(
            [
                new ChainLine { Type = ChainLine.Note, At = clock.GetUtcNow(), Detail = $"retention deletes {partition}" },
                .. begins.Select(one => new ChainLine
                {
                    Type = ChainLine.Retention,
                    At = clock.GetUtcNow(),
                    Detail = one.Replica,
                    Through = one.Through,
                    Head = one.Next?.Prev,
                }),
            ],
            cancel);
        await server.RunAsync(connection => connection.ExecuteAsync($"drop table if exists {partition}", cancel), cancel);
    }

    private static NpgsqlParameter Texts(IEnumerable<string?> values) =>
        new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text };
}
