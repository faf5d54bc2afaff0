using System.Globalization;
using Gateway.Documents;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Users;

/// <summary>Everyone at one moment.</summary>
internal sealed class PeopleSnapshot(DocumentSnapshot<Person> people)
{
    private readonly Lazy<IReadOnlyList<Person>> _everyone = new(() => [.. people.Values.OrderBy(one => one.Id)]);

    /// <summary>Everyone, by number.</summary>
    public IReadOnlyList<Person> Everyone => _everyone.Value;

    public bool HasOwner => Owner is not null;

    public Person? Owner => people.FindByKey(PersonKeys.Owner);

    public int Count => people.Count;

    internal DocumentSnapshot<Person> Documents => people;

    /// <summary>Whether somebody else is linked to this Headscale user.</summary>
    public bool IsClaimed(string headscaleUserId, Person except) =>
        people.FindByKey(PersonKeys.OfLink(headscaleUserId)) is { } holder && holder.Id != except.Id;

    public Person? Find(long id) => people.Find($"{PersonKeys.Kind}/{DocumentBatch.NameOf(id)}");

    public Person? Find(Source source, string issuer, string subject) => people.FindByKey(PersonKeys.OfIdentity(source, issuer, subject));
}

/// <summary>What only one person may have.</summary>
internal static class PersonKeys
{
    public const string Kind = "person";

    public const string Owner = "owner";

    /// <summary>With the issuer's length, so that no two identities are written alike.</summary>
    public static string OfIdentity(Source source, string issuer, string subject) =>
        string.Create(CultureInfo.InvariantCulture, $"identity:{source.Name}:{issuer.Length}:{issuer}{subject}");

    public static string OfLink(string headscaleUserId) => "link:" + headscaleUserId;

    public static IEnumerable<string> Of(Person person)
    {
        yield return OfIdentity(person.Source, person.Issuer, person.Subject);
        if (person.Role == Role.OwnerName)
        {
            yield return Owner;
        }

        if (person.Link is { } link)
        {
            yield return OfLink(link.HeadscaleUserId);
        }
    }
}

/// <summary>Everyone the gateway knows: in memory to read, in the store when something changes. Each change is all or nothing.</summary>
internal sealed class People
{
    private readonly DocumentSet _documents;
    private readonly SessionStore _sessions;
    private readonly TokenStore _tokens;
    private readonly TimeProvider _clock;
    private readonly DocumentCollection<Person> _people;
    private volatile PeopleSnapshot _snapshot;

    public People(DocumentSet documents, SessionStore sessions, TokenStore tokens, TimeProvider clock)
    {
        (_documents, _sessions, _tokens, _clock) = (documents, sessions, tokens, clock);
        _people = documents.Add(NewCollection());
        _snapshot = new(_people.Snapshot);
    }

    public static DocumentCollection<Person> NewCollection() =>
        new(PersonKeys.Kind, PersonJson.Default.Person, one => DocumentBatch.NameOf(one.Id), PersonKeys.Of);

    /// <summary>Why the store cannot be asked or changed; null while it can.</summary>
    public string? Trouble => _documents.Trouble;

    /// <summary>Everyone at this moment.</summary>
    /// <exception cref="StoreException">The store could not be asked for too long.</exception>
    public PeopleSnapshot Snapshot
    {
        get
        {
            _documents.EnsureFresh();
            var (seen, now) = (_snapshot, _people.Snapshot);
            return seen.Documents == now ? seen : _snapshot = new(now);
        }
    }

    /// <summary>Stores someone who came for the first time; gives whom the store has when the identity is there already.</summary>
    public Task<(Person Person, bool IsNew)> AdmitAsync(NewPerson person, OwnerRule rule) => _documents.ChangeAsync(batch =>
    {
        if (Snapshot.Find(person.Source, person.Issuer, person.Subject) is { } known)
        {
            return (known, false);
        }

        var becomesOwner = rule switch
        {
            OwnerRule.Never => false,
            OwnerRule.WhenFirst => Snapshot.Count == 0,
            OwnerRule.WhenThereIsNone => !Snapshot.HasOwner,
        };
        var added = New(batch, person) with { Role = becomesOwner ? Role.OwnerName : person.Role };
        batch.Add(_people, added);
        return (added, true);
    });

    /// <summary>Stores someone before they come.</summary>
    public Task<Change> AddAsync(NewPerson person, UserLink? link, bool isPinned = false) => _documents.ChangeAsync(batch =>
    {
        if (Snapshot.Find(person.Source, person.Issuer, person.Subject) is not null)
        {
            return Change.Exists;
        }

        var added = New(batch, person) with { Link = link, RoleIsPinned = isPinned };
        var outcome = Check(added);
        if (outcome is Change.Done)
        {
            batch.Add(_people, added);
        }

        return outcome;
    });

    /// <summary>Gives a role by hand.</summary>
    public Task<Change> SetRoleAsync(long id, string role) => ChangeAsync(id, one =>
        one.Role == Role.OwnerName && role != Role.OwnerName ? (Change.IsOwner, one)
            : (Change.Done, one with { Role = role, RoleIsPinned = true, RoleNote = null, AskedForAccess = null }));

    /// <summary>Takes a role back that was given by hand: from now on the source decides, if it does.</summary>
    public Task<Change> UnpinAsync(long id) => ChangeAsync(id, one => (Change.Done, one with { RoleIsPinned = false }));

    /// <summary>Takes over what a source says.</summary>
    /// <param name="role">The role by its word; null where it does not decide.</param>
    /// <param name="isPinnedKept">Whether a role that was given by hand stays, also one that was given at this very moment.</param>
    public Task<Change> FollowAsync(long id, string? role, Profile profile, bool isPinnedKept = false) =>
        ChangeAsync(id, one => (Change.Done, one with
        {
            Role = one.Role == Role.OwnerName || (isPinnedKept && one.RoleIsPinned && role != Role.OwnerName) ? one.Role : role ?? one.Role,
            AskedForAccess = role is null || role == one.Role ? one.AskedForAccess : null,
            Name = profile.Name,
            Email = profile.Email,
            EmailIsTrusted = profile.EmailIsTrusted,
            Picture = profile.Picture,
            RoleNote = isPinnedKept && one.RoleIsPinned ? null : profile.RoleNote,
        }));

    /// <summary>Links a person. By <see cref="LinkSource.Auto"/>, what an administrator decided stays as it is.</summary>
    public Task<Change> LinkAsync(long id, UserLink link) => ChangeAsync(id, one =>
        link.Source is not LinkSource.Admin
            && (one.Link is { Source: LinkSource.Admin } || (one.IsKeptUnlinked && link.Source is LinkSource.Auto))
            ? (Change.Decided, one)
            : (Change.Done, Linked(one, link)));

    /// <summary>Links a person to the user that they claimed, as long as they claim this one.</summary>
    public Task<Change> ApproveClaimAsync(long id, UserLink claim) => ChangeAsync(id, one =>
        one.Claim != claim ? (Change.Decided, one) : (Change.Done, Linked(one, claim)));

    /// <summary>Takes a link away.</summary>
    /// <param name="isKept">Whether an administrator says so, and nothing links them again by itself.</param>
    public Task<Change> UnlinkAsync(long id, bool isKept = true) =>
        ChangeAsync(id, one => (Change.Done, one with { Link = null, IsKeptUnlinked = isKept }));

    /// <summary>Stores which user the fingerprint of a link is of, which was made while Headscale could not be asked.</summary>
    public Task<Change> PinLinkAsync(long id, UserLink link) => ChangeAsync(id, one =>
        one.Link is { Fingerprint: UserLink.Unpinned } unpinned && unpinned.HeadscaleUserId == link.HeadscaleUserId
            ? (Change.Done, one with { Link = link }) : (Change.Decided, one));

    /// <summary>Stores that somebody without a link says a Headscale user is theirs. A link of whatever source settles it.</summary>
    public Task<Change> ClaimAsync(long id, UserLink claim) => ChangeAsync(id, one =>
        one.Link is not null ? (Change.NoSuchPerson, one) : (Change.Done, one with { Claim = claim }));

    /// <summary>Notes that somebody without rights asks for some; a role that is given answers it.</summary>
    public Task<Change> AskForAccessAsync(long id, DateTimeOffset now) =>
        ChangeAsync(id, one => (Change.Done, one with { AskedForAccess = one.AskedForAccess ?? now }));

    public Task<Change> DropClaimAsync(long id) =>
        ChangeAsync(id, one => one is { Claim: null, AskedForAccess: null }
            ? (Change.NoSuchPerson, one)
            : (Change.Done, one with { Claim = null, AskedForAccess = null }));

    /// <summary>Forgets a person, and ends their sessions and tokens.</summary>
    public Task<Change> RemoveAsync(long id) => _documents.ChangeAsync(batch =>
    {
        if (Snapshot.Find(id) is not { } person)
        {
            return Change.NoSuchPerson;
        }

        if (person.Role == Role.OwnerName)
        {
            return Change.IsOwner;
        }

        batch.Remove(_people, person);
        _sessions.Remove(batch, one => one.PersonId == id);
        _tokens.Remove(batch, one => one.PersonId == id);
        return Change.Done;
    });

    /// <summary>Makes <paramref name="to"/> the owner and the owner until now <paramref name="oldOwnerRole"/>, both or neither.</summary>
    /// <param name="by">Who hands it over; null for the console, which needs to be nobody.</param>
    public Task<Change> TransferOwnershipAsync(long to, string oldOwnerRole, long? by = null) => _documents.ChangeAsync(batch =>
    {
        if (by is not null && Snapshot.Owner?.Id != by)
        {
            return Change.Decided;
        }

        if (Snapshot.Find(to) is not { } person)
        {
            return Change.NoSuchPerson;
        }

        if (Snapshot.Owner is { } owner && owner.Id != to)
        {
            batch.Put(_people, owner with { Role = oldOwnerRole, RoleIsPinned = true, RoleNote = null });
        }

        batch.Put(_people, person with { Role = Role.OwnerName, RoleNote = null });
        return Change.Done;
    });

    private Task<Change> ChangeAsync(long id, Func<Person, (Change Outcome, Person Changed)> change) => _documents.ChangeAsync(batch =>
    {
        if (Snapshot.Find(id) is not { } person)
        {
            return Change.NoSuchPerson;
        }

        var (outcome, changed) = change(person);
        outcome = outcome is Change.Done ? Check(changed) : outcome;
        if (outcome is Change.Done && changed != person)
        {
            batch.Put(_people, changed);
        }

        return outcome;
    });

    private static Person Linked(Person person, UserLink link) => person with { Link = link, Claim = null, IsKeptUnlinked = false };

    /// <summary>Whether somebody else has what only one may have.</summary>
    private Change Check(Person person) =>
        person.Link is { } link && Snapshot.IsClaimed(link.HeadscaleUserId, person) ? Change.Claimed
        : person.Role == Role.OwnerName && Snapshot.Owner is { } owner && owner.Id != person.Id ? Change.OwnerExists
        : Change.Done;

    private Person New(DocumentBatch batch, NewPerson person) => new()
    {
        Id = batch.NextNumber(PersonKeys.Kind),
        Source = person.Source,
        Issuer = person.Issuer,
        Subject = person.Subject,
        Name = person.Name,
        Email = person.Email,
        EmailIsTrusted = person.EmailIsTrusted,
        Picture = person.Picture,
        Role = person.Role,
        CreatedAt = _clock.GetUtcNow(),
    };
}
