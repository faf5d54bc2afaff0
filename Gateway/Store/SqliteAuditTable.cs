using Dapper;
using Gateway.Audit;
using Gateway.Policy;
using Microsoft.Data.Sqlite;

namespace Gateway.Store;

/// <summary>The audit as it was kept up to schema 4: a table.</summary>
internal static class SqliteAuditTable
{
    /// <summary>All of it, oldest first, one entry in memory at a time.</summary>
    public static IEnumerable<AuditEntry> Read(SqliteConnection connection, SqliteTransaction transaction) => connection.Query<StoredEntry>(
        """
        select at, request_id RequestId, kind, actor, role, headscale_user HeadscaleUser, "row" "Row", method, path, reason, status, client,
            duration, detail, before, after
        from audit order by id
        """,
        transaction: transaction,
        buffered: false).Select(one => one.ToEntry());

    private sealed record StoredEntry(
        long At, string RequestId, string Kind, string? Actor, string? Role, string? HeadscaleUser, string? Row,
        string Method, string Path, string Reason, long? Status, string? Client, double? Duration, string? Detail, string? Before,
            string? After)
    {
        public AuditEntry ToEntry() => new()
        {
            At = DateTimeOffset.FromUnixTimeMilliseconds(At),
            RequestId = RequestId,
            Kind = Enum.GetValues<AuditKind>().FirstOrDefault(one => SnakeCase.From(one.ToString()) == Kind),
            Actor = Actor,
            Role = Role,
            HeadscaleUser = HeadscaleUser,
            Row = Row,
            Method = Method,
            Path = Path,
            Reason = Reason,
            Status = (int?)Status,
            Client = Client,
            Duration = Duration,
            Detail = Detail,
            Before = Before,
            After = After,
        };
    }
}
