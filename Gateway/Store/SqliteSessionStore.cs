using Dapper;
using Gateway.Identity;
using Gateway.Policy;

namespace Gateway.Store;

/// <summary>Sessions in SQLite.</summary>
internal sealed class SqliteSessionStore(SqliteFile file) : ISessionStore
{
    public long Generation() => file.Use(connection => connection.ExecuteScalar<long>("select n from session_generation"));

    public (long Generation, IReadOnlyList<Session> Sessions) List() => file.Use(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: true);
        var generation = connection.ExecuteScalar<long>("select n from session_generation", transaction: transaction);
        var rows = connection.Query<Row>(
            """
            select id, hash, kind, person_id PersonId, key_prefix KeyPrefix, created_at CreatedAt, expires_at ExpiresAt, last_used_at LastUsedAt,
                client, user_agent UserAgent, provider_session ProviderSession, id_token IdToken
            from session order by id
            """,
            transaction: transaction);
        return (generation, (IReadOnlyList<Session>)[.. rows.Select(row => row.ToSession())]);
    });

    public long Add(Session session, int mostPerPerson) => file.Change((connection, transaction) =>
    {
        var id = connection.ExecuteScalar<long>(
            """
            insert into session (hash, kind, person_id, key_prefix, created_at, expires_at, last_used_at, client, user_agent, provider_session, id_token)
            values (@Hash, @Kind, @PersonId, @KeyPrefix, @CreatedAt, @ExpiresAt, @LastUsedAt, @Client, @UserAgent, @ProviderSession, @IdToken) returning id
            """,
            new
            {
                session.Hash,
                Kind = SnakeCase.From(session.Kind.ToString()),
                session.PersonId,
                session.KeyPrefix,
                CreatedAt = session.CreatedAt.ToUnixTimeMilliseconds(),
                ExpiresAt = session.ExpiresAt.ToUnixTimeMilliseconds(),
                LastUsedAt = session.LastUsedAt.ToUnixTimeMilliseconds(),
                session.Client,
                session.UserAgent,
                session.ProviderSession,
                IdToken = session.ProtectedIdToken,
            },
            transaction);
        connection.Execute(
            """
            delete from session where id in (
                select id from session where person_id is @PersonId and key_prefix is @KeyPrefix order by id desc limit -1 offset @mostPerPerson)
            """,
            new { session.PersonId, session.KeyPrefix, mostPerPerson },
            transaction);
        return id;
    });

    public bool Remove(long id) => file.Change((connection, transaction) => connection.Execute("delete from session where id = @id", new { id }, transaction)) == 1;

    public int RemoveOfProvider(string issuer, string? subject, string? providerSession) => file.Change((connection, transaction) => connection.Execute(
        """
        delete from session where kind = 'oidc'
            and person_id in (select id from person where source = 'oidc' and issuer = @issuer and (@subject is null or subject = @subject))
            and (@providerSession is null or provider_session = @providerSession)
            and (@subject is not null or @providerSession is not null)
        """,
        new { issuer, subject, providerSession },
        transaction));

    public void Touch(IReadOnlyCollection<(long Id, DateTimeOffset At)> used)
    {
        if (used.Count > 0)
        {
            file.Change((connection, transaction) => connection.Execute(
                "update session set last_used_at = @At where id = @Id and last_used_at < @At",
                used.Select(one => new { one.Id, At = one.At.ToUnixTimeMilliseconds() }),
                transaction));
        }
    }

    public int RemoveOver(DateTimeOffset now, DateTimeOffset? unusedSince) => file.Change((connection, transaction) => connection.Execute(
        "delete from session where expires_at <= @now or last_used_at < @unusedSince",
        new { now = now.ToUnixTimeMilliseconds(), unusedSince = unusedSince?.ToUnixTimeMilliseconds() },
        transaction));

    private sealed record Row(
        long Id, string Hash, string Kind, long? PersonId, string? KeyPrefix, long CreatedAt, long ExpiresAt, long LastUsedAt,
        string? Client, string? UserAgent, string? ProviderSession, string? IdToken)
    {
        public Session ToSession() => new()
        {
            Id = Id,
            Hash = Hash,
            Kind = Kind switch
            {
                "oidc" => SessionKind.Oidc,
                "api_key" => SessionKind.ApiKey,
                _ => SessionKind.None,
            },
            PersonId = PersonId,
            KeyPrefix = KeyPrefix,
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
            ExpiresAt = DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt),
            LastUsedAt = DateTimeOffset.FromUnixTimeMilliseconds(LastUsedAt),
            Client = Client,
            UserAgent = UserAgent,
            ProviderSession = ProviderSession,
            ProtectedIdToken = IdToken,
        };
    }
}
