using System.Reflection;
using Dapper;
using Gateway.Audit;
using Gateway.Documents;
using Gateway.Identity;
using Gateway.Settings;
using Gateway.Store.Segments;
using Gateway.Users;
using Microsoft.Data.Sqlite;

namespace Gateway.Store;

/// <summary>
/// From any earlier schema to the present one, in one transaction. Up to schema 4, people, sessions and the key ring had
/// tables of their own; they are taken over into documents.
/// </summary>
internal static class SqliteUpgrade
{
    /// <summary>"HTGW": tells our file from any other database (PRAGMA application_id).</summary>
    public const int ApplicationId = 0x48544757;

    /// <summary>The last schema with tables of their own.</summary>
    private const int Tables = 4;

    /// <summary>The present schema (PRAGMA user_version).</summary>
    public const int Version = Tables + 1;

    /// <summary>The scripts of the schemas with tables, in order. Nothing is added to them any more.</summary>
    public static IReadOnlyList<string> Migrations { get; } = [.. Scripts("Migrations.")];

    /// <summary>Makes the present schema of whatever is there.</summary>
    /// <param name="auditFolder">Where the audit goes, which had a table up to schema 4.</param>
    public static void Run(SqliteConnection connection, string auditFolder)
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var version = connection.ExecuteScalar<long>("pragma user_version", transaction: transaction);
        if (version == Version)
        {
            return;
        }

        foreach (var script in version == 0 ? [] : Migrations.Skip((int)version))
        {
            connection.Execute(script, transaction: transaction);
        }

        connection.Execute(Scripts("Documents").Single(), transaction: transaction);
        if (version > 0)
        {
            SqliteDocumentStore.Commit(connection, transaction, Read(connection, transaction));
            TakeAuditOver(auditFolder, SqliteAuditTable.Read(connection, transaction));
            connection.Execute(
                "drop table audit; drop table session; drop table session_generation; drop table person; drop table generation; drop "
                + "table protection_key;", transaction: transaction);
        }

        connection.Execute($"pragma user_version = {Version}; pragma application_id = {ApplicationId};", transaction: transaction);
        transaction.Commit();
    }

    private static void TakeAuditOver(string folder, IEnumerable<AuditEntry> entries)
    {
        using var import = SegmentImport.Begin(folder);
        if (import is null)
        {
            if (entries.LastOrDefault() is { } last
                && !new SegmentReader(folder).Find(new AuditSearch { Text = last.RequestId }, null, 1, default)
                    .Exists(one => one.RequestId == last.RequestId))
            {
                throw new StoreException(
                    $"{folder} has an audit of a later gateway, and the store has entries that are not in it: a newer version ran here "
                    + $"before. Move that folder away and start again; both can be kept");
            }

            return;
        }

        foreach (var entry in entries)
        {
            import.Add(entry);
        }

        import.Finish();
    }

    private static IEnumerable<string> Scripts(string start)
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith("sql." + start, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return reader.ReadToEnd();
        }
    }

    private static List<DocumentChange> Read(SqliteConnection connection, SqliteTransaction transaction)
    {
        var people = People.NewCollection();
        var sessions = SessionStore.NewCollection();
        var keys = KeyRing.NewCollection();
        var changes = new List<DocumentChange>();
        changes.AddRange(connection.Query<PersonRow>(
            """
            select id, source, issuer, subject, name, email, picture, role, headscale_user HeadscaleUser, link_fingerprint Fingerprint,
                link_source LinkSource, created_at CreatedAt, email_trusted EmailTrusted, claim_user ClaimUser,
                claim_fingerprint ClaimFingerprint, role_note RoleNote
            from person
            """,
            transaction: transaction).Select(one => people.Write(one.ToPerson())));
        changes.AddRange(connection.Query<SessionRow>(
            """
            select id, hash, kind, person_id PersonId, key_prefix KeyPrefix, created_at CreatedAt, expires_at ExpiresAt,
                last_used_at LastUsedAt, client, user_agent UserAgent, provider_session ProviderSession, id_token IdToken
            from session
            """,
            transaction: transaction).Select(one => sessions.Write(one.ToSession())));
        changes.AddRange(
            connection.Query<ProtectionKey>("select name, xml from protection_key", transaction: transaction).Select(keys.Write));

        // Numbers that were given once are not given again.
        var counters = DocumentSet.NewCounters();
        changes.AddRange(connection.Query<(string Of, long Last)>(
            "select name, seq from sqlite_sequence where name in ('person', "
            + "'session')", transaction: transaction).Select(one => counters.Write(new(one.Of, one.Last))));
        return changes;
    }

    private sealed record PersonRow(
        long Id, string Source, string Issuer, string Subject, string? Name, string? Email, string? Picture, string Role,
        string? HeadscaleUser, string? Fingerprint, string? LinkSource, long CreatedAt, long EmailTrusted, string? ClaimUser,
            string? ClaimFingerprint, string? RoleNote)
    {
        public Person ToPerson() => new()
        {
            Id = Id,
            Source = Sources.Parse(Source) ?? Identity.Source.None,
            Issuer = Issuer,
            Subject = Subject,
            Name = Name,
            Email = Email,
            EmailIsTrusted = EmailTrusted == 1,
            Picture = Picture,
            Role = Role,
            RoleNote = RoleNote,
            Link = HeadscaleUser is null || Fingerprint is null ? null : new UserLink(HeadscaleUser, Fingerprint, SourceOf(LinkSource)),
            Claim = ClaimUser is null || ClaimFingerprint is null
                ? null
                : new UserLink(ClaimUser, ClaimFingerprint, Users.LinkSource.Claim),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
        };

        private static LinkSource SourceOf(string? name) => name switch
        {
            "auto" => Users.LinkSource.Auto,
            "claim" => Users.LinkSource.Claim,
            "admin" => Users.LinkSource.Admin,
            _ => Users.LinkSource.None,
        };
    }

    private sealed record SessionRow(
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
