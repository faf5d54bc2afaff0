using System.Globalization;
using Npgsql;

namespace Gateway.Store.Postgres;

/// <summary>The partitions of the audit's table, one a month.</summary>
internal sealed class PostgresAuditMonths
{
    private const string Prefix = "headtower_audit_";

    private readonly HashSet<DateOnly> _made = [];

    /// <summary>Makes the partitions that these times need.</summary>
    public async Task MakeAsync(NpgsqlConnection connection, IEnumerable<DateTimeOffset> times, CancellationToken cancel)
    {
        foreach (var month in times.Select(MonthOf).Distinct().Where(one => !_made.Contains(one)).ToArray())
        {
            var name = Prefix + month.ToString("yyyy_MM", CultureInfo.InvariantCulture);
            var (from, to) = (month.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), month.AddMonths(1)
                .ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            try
            {
                await connection.ExecuteAsync(
                    $"create table if not exists {name} partition of headtower_audit for values from ('{from}Z') to ('{to}Z')", cancel);
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateTable
                or PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.InvalidObjectDefinition)
            {
                // Another replica made it at the same moment.
            }

            _made.Add(month);
        }
    }

    /// <summary>After trouble, another server may have taken over that does not have them.</summary>
    public void Forget() => _made.Clear();

    /// <summary>The partitions in which nothing is younger than a time, oldest first.</summary>
    public static async Task<IReadOnlyList<string>> BeforeAsync(NpgsqlConnection connection, DateTimeOffset time, CancellationToken cancel)
    {
        var all = await connection.QueryAsync(
            """
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'headtower_audit'::regclass order by c.relname
            """,
            reader => reader.GetString(0), cancel);
        return [.. all.Where(one => MonthOf(one) is { } month && month.AddMonths(1) <= DateOnly.FromDateTime(time.UtcDateTime))];
    }

    private static DateOnly MonthOf(DateTimeOffset at) => new(at.UtcDateTime.Year, at.UtcDateTime.Month, 1);

    private static DateOnly? MonthOf(string partition) =>
        DateOnly.TryParseExact(
            partition.Replace(Prefix, "", StringComparison.Ordinal), "yyyy_MM", CultureInfo.InvariantCulture, DateTimeStyles.None,
            out var month)
            ? month
            : null;
}
