using System.Globalization;
using Gateway.Users;

namespace Gateway.Cli;

/// <summary>How a person is named on the command line: by number, or by identity such as <c>proxy:alice</c>.</summary>
internal static class PersonReference
{
    public static Person? Find(IReadOnlyList<Person> people, string reference) =>
        long.TryParse(reference, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? people.FirstOrDefault(one => one.Id == id)
            : people.FirstOrDefault(one => one.Label == reference);

    public static string NotFound(string reference) => $"there is no person '{reference}'; 'gateway users list' shows everyone";
}
