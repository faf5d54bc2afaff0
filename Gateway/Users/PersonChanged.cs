using Gateway.Audit;
using Gateway.Policy;

namespace Gateway.Users;

/// <summary>How a change to a person ended.</summary>
/// <param name="Status">200 when it was done, else the status of the answer.</param>
/// <param name="Complaint">Why it was not done; null when it was.</param>
internal readonly record struct PersonChanged(int Status, FormattableString? Complaint)
{
    public static PersonChanged Done { get; } = new(StatusCodes.Status200OK, null);

    /// <summary>What somebody should know although it was done; null for nothing.</summary>
    public FormattableString? Note { get; init; }
}

/// <summary>Where the wish for a change came from, for the audit.</summary>
/// <param name="RequestId">Its reference.</param>
/// <param name="Kind">A page or the command line.</param>
/// <param name="Method">The method of the request, or <c>CLI</c>.</param>
/// <param name="Client">The address that it came from; null for none.</param>
/// <param name="Started">The clock's timestamp when it came.</param>
/// <param name="Configuration">What was in force then.</param>
internal sealed record ChangeOrigin(
    string RequestId, AuditKind Kind, string Method, string? Client, long Started, Configuration Configuration);
