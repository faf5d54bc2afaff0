using Dapper;
using Gateway.Audit;
using Gateway.Policy;

namespace Gateway.Store;

/// <summary>The audit in SQLite.</summary>
internal sealed class SqliteAuditStore(SqliteFile file) : IAuditStore
{
    private const string Columns =
        """
        select id, at, request_id RequestId, kind, actor, role, headscale_user HeadscaleUser, "row" "Row", method, path, reason, status, client, duration, detail, before, after

        """;

    public void Write(IReadOnlyList<AuditEntry> entries, IReadOnlyList<AuditOutcome> outcomes) => file.Change((connection, transaction) =>
    {
        foreach (var entry in entries)
        {
            connection.Execute(
                """
                insert into audit (at, request_id, kind, actor, role, headscale_user, "row", method, path, reason, status, client, duration, detail, before, after)
                values (@At, @RequestId, @Kind, @Actor, @Role, @HeadscaleUser, @Row, @Method, @Path, @Reason, @Status, @Client, @Duration, @Detail, @Before, @After)
                """,
                new
                {
                    At = entry.At.ToUnixTimeMilliseconds(),
                    entry.RequestId,
                    Kind = SnakeCase.From(entry.Kind.ToString()),
                    entry.Actor,
                    entry.Role,
                    entry.HeadscaleUser,
                    entry.Row,
                    entry.Method,
                    entry.Path,
                    entry.Reason,
                    entry.Status,
                    entry.Client,
                    entry.Duration,
                    entry.Detail,
                    entry.Before,
                    entry.After,
                },
                transaction);
        }

        foreach (var outcome in outcomes)
        {
            connection.Execute(
                "update audit set reason = @Reason, status = @Status, duration = @Duration where request_id = @RequestId", outcome, transaction);
        }

        return 0;
    });

    public IReadOnlyList<AuditEntry> Read(long after, DateTimeOffset since, int most) => file.Use(connection => (IReadOnlyList<AuditEntry>)
    [
        .. connection.Query<StoredEntry>(
            Columns + "from audit where id > @after and at >= @since order by id limit @most",
            new { after, since = since.ToUnixTimeMilliseconds(), most }).Select(one => one.ToEntry()),
    ]);

    public IReadOnlyList<AuditEntry> Find(AuditSearch search) => file.Use(connection => (IReadOnlyList<AuditEntry>)
    [
        .. connection.Query<StoredEntry>(
            Columns + """
            from audit
            where (@before is null or id < @before)
              and (@text = '' or request_id = @text or actor like @like escape '\' or "row" like @like escape '\' or path like @like escape '\' or reason like @like escape '\')
              and (@refused = 0 or reason not in ('allowed', 'passed_through', 'done'))
            order by id desc limit @most
            """,
            new
            {
                before = search.Before,
                text = search.Text,
                like = $"%{search.Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%",
                refused = search.RefusedOnly ? 1 : 0,
                most = search.Most,
            }).Select(one => one.ToEntry()),
    ]);

    public AuditEntry? Find(long id) => file.Use(connection => connection.QueryFirstOrDefault<StoredEntry>(Columns + "from audit where id = @id", new { id })?.ToEntry());

    public int DeleteBefore(DateTimeOffset time) => file.Change((connection, transaction) =>
        connection.Execute("delete from audit where at < @time", new { time = time.ToUnixTimeMilliseconds() }, transaction));

    private sealed record StoredEntry(
        long Id, long At, string RequestId, string Kind, string? Actor, string? Role, string? HeadscaleUser, string? Row,
        string Method, string Path, string Reason, long? Status, string? Client, double? Duration, string? Detail, string? Before, string? After)
    {
        public AuditEntry ToEntry() => new()
        {
            Id = Id,
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
