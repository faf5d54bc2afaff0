using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Audit;
using Gateway.Settings;
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
    private readonly ChainSigning _signing = new(protection);
    private readonly HashSet<DateOnly> _months = [];
    private string _replica = "";
    private long _number;
    private string _head = ChainLine.NoHash;
    private bool _isSigned = true;

    public Task<string?> OpenAsync(CancellationToken cancel)
    {
        // A chain is of one process: nobody goes on with another one's.
        _replica = $"{Environment.MachineName}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        return Task.FromResult<string?>(null);
    }

    public async Task WriteAsync(IReadOnlyList<AuditRecord> records, bool isDurable, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        await AppendAsync([.. records.Select(one => ChainLine.From(one, now))], cancel);
    }

    public async Task<AuditHead?> CloseAsync(CancellationToken cancel)
    {
        if (_signing.Close(_number, _head, clock.GetUtcNow()) is { } close && !_isSigned)
        {
            try
            {
                await AppendAsync([close], cancel);
            }
            catch (StoreException)
            {
                // The server is gone before the gateway: the chain is without a signature then.
            }
        }

        return null;
    }

    public async Task<IReadOnlyList<AuditEntry>> FindAsync(AuditSearch search, long? before, int most, CancellationToken cancel)
    {
        var found = new List<AuditEntry>();
        for (var position = before ?? long.MaxValue; ;)
        {
            var page = await PageAsync(search, $"id < $1 order by id desc limit {Page}", position, cancel);
            found.AddRange(page.Where(search.Matches).Take(most - found.Count));
            if (found.Count == most || page.Count < Page)
            {
                return found;
            }

            position = page[^1].Id;
        }
    }

    public async Task<IReadOnlyList<AuditEntry>> ReadAsync(AuditSearch search, long after, int most, CancellationToken cancel)
    {
        var found = new List<AuditEntry>();
        for (var position = after; ;)
        {
            var page = await PageAsync(search, $"id > $1 order by id limit {Page}", position, cancel);
            found.AddRange(page.Where(search.Matches).Take(most - found.Count));
            if (found.Count == most || page.Count < Page)
            {
                return found;
            }

            position = page[^1].Id;
        }
    }

    public async Task<AuditEntry?> FindAsync(long id, CancellationToken cancel) =>
        (await PageAsync(AuditSearch.All, "id = $1", id, cancel)) is [var entry] ? entry : null;

    public Task<AuditVerification> VerifyAsync(AuditHead? last, CancellationToken cancel) => server.RunAsync(
        async connection =>
        {
            var (lines, problems, notes) = (0L, new List<string>(), new List<string>());
            var kept = await connection.QueryAsync(
                $"select line from headtower_audit where type = '{ChainLine.Retention}'", reader => ChainLine.Parse(Encoding.UTF8.GetBytes(reader.GetString(0)))!, cancel);
            foreach (var chain in await connection.QueryAsync("select distinct replica from headtower_audit order by replica", reader => reader.GetString(0), cancel))
            {
                var verifier = new ChainVerifier(_signing.IsSigned);
                foreach (var line in kept.Where(one => one.Detail == chain && one.Through is not null))
                {
                    verifier.Allow(line.Through!.Value, line.Head ?? "");
                }

                await using var command = new NpgsqlCommand("select n, line from headtower_audit where replica = $1 order by n, id", connection) { Parameters = { new() { Value = chain } } };
                await using var reader = await command.ExecuteReaderAsync(cancel);
                while (await reader.ReadAsync(cancel))
                {
                    verifier.Look($"{chain} line {reader.GetInt64(0)}", Encoding.UTF8.GetBytes(reader.GetString(1)));
                }

                var result = verifier.Finish();
                lines += result.Lines;
                problems.AddRange(result.Problems);
                notes.AddRange(result.Notes);
            }

            return new AuditVerification(lines, problems, notes);
        },
        cancel);

    public async Task<string?> DeleteBeforeAsync(DateTimeOffset time, CancellationToken cancel)
    {
        var old = await server.RunAsync(
            connection => connection.QueryAsync(
                "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'headtower_audit'::regclass order by c.relname", reader => reader.GetString(0), cancel),
            cancel);
        var gone = old.Where(one => MonthOf(one) is { } month && month.AddMonths(1) <= DateOnly.FromDateTime(time.UtcDateTime)).ToArray();
        foreach (var partition in gone)
        {
            await DropAsync(partition, cancel);
        }

        return gone.Length == 0 ? null : string.Join(", ", gone);
    }

    public Task CopyToAsync(string folder, CancellationToken cancel)
    {
        PrivateFiles.MakeFolder(folder);
        return server.RunAsync(
            async connection =>
            {
                await using var file = new FileStream(Path.Combine(folder, "audit.jsonl"), PrivateFiles.Options(FileMode.CreateNew, FileShare.None));
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
        if (_replica.Length == 0)
        {
            await OpenAsync(cancel);
            _replica = "imported-" + _replica;
        }

        await AppendAsync([.. entries.Select(one => ChainLine.From(new AuditRecord.Begun(one), one.At))], cancel);
    }

    public ValueTask DisposeAsync()
    {
        _writing.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AppendAsync(ChainLine[] lines, CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel);
        try
        {
            var (number, head) = (_number, _head);
            var rows = new List<(ChainLine Line, string Text)>();
            foreach (var line in lines)
            {
                var bytes = (line with { Number = ++number, Prev = head }).ToBytes();
                head = ChainLine.HashOf(bytes);
                rows.Add((line with { Number = number }, Encoding.UTF8.GetString(bytes)));
            }

            await server.RunAsync(connection => InsertAsync(connection, rows, cancel), cancel);
            (_number, _head, _isSigned) = (number, head, lines[^1].Type == ChainLine.Close);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task<int> InsertAsync(NpgsqlConnection connection, List<(ChainLine Line, string Text)> rows, CancellationToken cancel)
    {
        foreach (var month in rows.Select(one => MonthOf(one.Line.At)).Distinct().Where(one => !_months.Contains(one)).ToArray())
        {
            await connection.ExecuteAsync(
                string.Create(CultureInfo.InvariantCulture, $"create table if not exists headtower_audit_{month:yyyy_MM} partition of headtower_audit for values from ('{month:yyyy-MM-dd}Z') to ('{month.AddMonths(1):yyyy-MM-dd}Z')"), cancel);
            _months.Add(month);
        }

        return await connection.ExecuteAsync(
            """
            insert into headtower_audit (replica, n, at, type, request, actor, "row", line)
            select $1, c.* from unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) as c
            on conflict do nothing
            """,
            cancel,
            _replica,
            rows.Select(one => one.Line.Number).ToArray(),
            rows.Select(one => one.Line.At.ToUniversalTime()).ToArray(),
            rows.Select(one => one.Line.Type).ToArray(),
            Texts(rows.Select(one => one.Line.Of ?? one.Line.Id)),
            Texts(rows.Select(one => one.Line.Actor)),
            Texts(rows.Select(one => one.Line.Row)),
            rows.Select(one => one.Text).ToArray());
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
                from (select replica, max(n) as through from headtower_audit where tableoid = to_regclass('{partition}') group by replica) gone
                join headtower_audit next on next.replica = gone.replica and next.n = gone.through + 1
                """,
                reader => (Replica: reader.GetString(0), Through: reader.GetInt64(1), Next: ChainLine.Parse(Encoding.UTF8.GetBytes(reader.GetString(2)))),
                cancel),
            cancel);
        await AppendAsync(
            [
                new ChainLine { Number = 0, Type = ChainLine.Note, At = clock.GetUtcNow(), Detail = $"retention deletes {partition}", Prev = "" },
                .. begins.Select(one => new ChainLine
                {
                    Number = 0, Type = ChainLine.Retention, At = clock.GetUtcNow(), Detail = one.Replica, Through = one.Through, Head = one.Next?.Prev, Prev = "",
                }),
            ],
            cancel);
        await server.RunAsync(connection => connection.ExecuteAsync($"drop table if exists {partition}", cancel), cancel);
    }

    private static DateOnly MonthOf(DateTimeOffset at) => new(at.UtcDateTime.Year, at.UtcDateTime.Month, 1);

    private static DateOnly? MonthOf(string partition) =>
        DateOnly.TryParseExact(partition.Replace("headtower_audit_", "", StringComparison.Ordinal), "yyyy_MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month) ? month : null;

    private static NpgsqlParameter Texts(IEnumerable<string?> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text };
}
