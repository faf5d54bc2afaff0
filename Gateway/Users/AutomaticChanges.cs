using Gateway.Audit;
using Gateway.Edge;

namespace Gateway.Users;

/// <summary>Writes down which role somebody got without anybody giving it: by what the source of their identity says now.</summary>
internal sealed class AutomaticChanges(AuditLog audit, TimeProvider clock)
{
    /// <param name="person">As they were before.</param>
    /// <param name="role">What they are now.</param>
    /// <param name="why">What it follows from.</param>
    public ValueTask RecordAsync(Person person, string role, string why) => audit.RecordAsync(
        new AuditEntry
        {
            At = clock.GetUtcNow(),
            RequestId = RequestIds.Next(),
            Kind = AuditKind.Person,
            Actor = person.Label,
            Row = "auto.role",
            Method = "AUTO",
            Path = person.Label,
            Reason = "done",
            Status = StatusCodes.Status200OK,
            Detail = why,
            Before = person.Role,
            After = role,
        },
        CancellationToken.None);
}
