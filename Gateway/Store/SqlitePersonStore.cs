using Dapper;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Users;
using Microsoft.Data.Sqlite;

namespace Gateway.Store;

/// <summary>People in SQLite. The rules that must hold between processes are constraints of the schema.</summary>
internal sealed class SqlitePersonStore(SqliteFile file, TimeProvider clock) : IPersonStore
{
    private const string Columns =
        "id, source, issuer, subject, name, email, picture, role, headscale_user HeadscaleUser, link_fingerprint Fingerprint, link_source LinkSource, created_at CreatedAt, email_trusted EmailTrusted, claim_user ClaimUser, claim_fingerprint ClaimFingerprint, role_note RoleNote";

    public long Generation() => file.Use(connection => connection.ExecuteScalar<long>("select n from generation"));

    public (long Generation, IReadOnlyList<Person> People) List() => file.Use(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: true);
        var generation = connection.ExecuteScalar<long>("select n from generation", transaction: transaction);
        var rows = connection.Query<Row>($"select {Columns} from person order by id", transaction: transaction);
        return (generation, (IReadOnlyList<Person>)[.. rows.Select(row => row.ToPerson())]);
    });

    public (bool Added, bool AsOwner) Admit(NewPerson person, OwnerRule rule) => file.Change((connection, transaction) =>
    {
        var becomesOwner = rule switch
        {
            OwnerRule.Never => "0",
            OwnerRule.WhenFirst => "not exists (select 1 from person)",
            OwnerRule.WhenThereIsNone => "not exists (select 1 from person where role = 'owner')",
        };
        var role = connection.ExecuteScalar<string?>(
            $"""
            insert into person (source, issuer, subject, name, email, email_trusted, picture, role, created_at)
            select @Source, @Issuer, @Subject, @Name, @Email, @EmailTrusted, @Picture, case when {becomesOwner} then 'owner' else @Role end, @Now
            where true on conflict (source, issuer, subject) do nothing returning role
            """,
            Parameters(person),
            transaction);
        return (role is not null, role == Role.OwnerName);
    });

    public Change Add(NewPerson person, UserLink? link) => Guarded(() => file.Change((connection, transaction) => connection.Execute(
        """
        insert into person (source, issuer, subject, name, email, picture, role, created_at, headscale_user, link_fingerprint, link_source)
        values (@Source, @Issuer, @Subject, @Name, @Email, @Picture, @Role, @Now, @HeadscaleUser, @Fingerprint, @LinkSource)
        on conflict (source, issuer, subject) do nothing
        """,
        Parameters(person, link),
        transaction) == 1 ? Change.Done : Change.Exists));

    public Change SetRole(long id, string role) => Guarded(() => file.Change((connection, transaction) =>
        IsOwner(connection, transaction, id) && role != Role.OwnerName
            ? Change.IsOwner
            : Found(connection.Execute("update person set role = @role, role_note = null where id = @id", new { id, role }, transaction))));

    public void SetProfile(long id, Profile profile) => file.Change((connection, transaction) => connection.Execute(
        "update person set name = @Name, email = @Email, email_trusted = @trusted, picture = @Picture, role_note = @RoleNote where id = @id",
        new { id, profile.Name, profile.Email, trusted = profile.EmailIsTrusted ? 1 : 0, profile.Picture, profile.RoleNote },
        transaction));

    public Change Link(long id, UserLink link) => Guarded(() => file.Change((connection, transaction) => Found(connection.Execute(
        """
        update person set headscale_user = @HeadscaleUserId, link_fingerprint = @Fingerprint, link_source = @source, claim_user = null, claim_fingerprint = null
        where id = @id and (@source = 'admin' or link_source is not 'admin')
        """,
        new { id, link.HeadscaleUserId, link.Fingerprint, source = NameOf(link.Source) },
        transaction))));

    public Change Unlink(long id) => file.Change((connection, transaction) => Found(connection.Execute(
        "update person set headscale_user = null, link_fingerprint = null, link_source = null where id = @id", new { id }, transaction)));

    public Change Claim(long id, UserLink claim) => file.Change((connection, transaction) => Found(connection.Execute(
        "update person set claim_user = @HeadscaleUserId, claim_fingerprint = @Fingerprint where id = @id and headscale_user is null",
        new { id, claim.HeadscaleUserId, claim.Fingerprint },
        transaction)));

    public Change DropClaim(long id) => file.Change((connection, transaction) => Found(connection.Execute(
        "update person set claim_user = null, claim_fingerprint = null where id = @id and claim_user is not null", new { id }, transaction)));

    public Change Remove(long id) => file.Change((connection, transaction) =>
        IsOwner(connection, transaction, id) ? Change.IsOwner : Found(connection.Execute("delete from person where id = @id", new { id }, transaction)));

    public Change TransferOwnership(long to, string oldOwnerRole) => file.Change((connection, transaction) =>
    {
        if (connection.ExecuteScalar<long>("select count(*) from person where id = @to", new { to }, transaction) == 0)
        {
            return Change.NoSuchPerson;
        }

        connection.Execute("update person set role = @oldOwnerRole, role_note = null where role = 'owner'", new { oldOwnerRole }, transaction);
        return Found(connection.Execute("update person set role = 'owner', role_note = null where id = @to", new { to }, transaction));
    });

    private static bool IsOwner(SqliteConnection connection, SqliteTransaction transaction, long id) =>
        connection.ExecuteScalar<string?>("select role from person where id = @id", new { id }, transaction) == Role.OwnerName;

    private static Change Found(int rows) => rows == 1 ? Change.Done : Change.NoSuchPerson;

    /// <summary>Which rule of the schema was about to be broken.</summary>
    private static Change Guarded(Func<Change> change)
    {
        try
        {
            return change();
        }
        catch (SqliteException e) when (e.SqliteErrorCode is SqliteErrors.Constraint)
        {
            return e.Message.Contains("person.headscale_user", StringComparison.Ordinal) ? Change.Claimed
                : e.Message.Contains("person.role", StringComparison.Ordinal) ? Change.OwnerExists
                : throw new Settings.StoreException(e.Message, e);
        }
    }

    private object Parameters(NewPerson person, UserLink? link = null) => new
    {
        Source = person.Source.Name,
        person.Issuer,
        person.Subject,
        person.Name,
        person.Email,
        EmailTrusted = person.EmailIsTrusted ? 1 : 0,
        person.Picture,
        person.Role,
        Now = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        HeadscaleUser = link?.HeadscaleUserId,
        link?.Fingerprint,
        LinkSource = link is null ? null : NameOf(link.Source),
    };

    private static string? NameOf(LinkSource source) => source switch
    {
        LinkSource.None => null,
        LinkSource.Auto => "auto",
        LinkSource.Claim => "claim",
        LinkSource.Admin => "admin",
    };

    private sealed record Row(
        long Id, string Source, string Issuer, string Subject, string? Name, string? Email, string? Picture, string Role,
        string? HeadscaleUser, string? Fingerprint, string? LinkSource, long CreatedAt, long EmailTrusted, string? ClaimUser, string? ClaimFingerprint, string? RoleNote)
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
            Claim = ClaimUser is null || ClaimFingerprint is null ? null : new UserLink(ClaimUser, ClaimFingerprint, Users.LinkSource.Claim),
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
}
